internal import Digests
internal import ImageModel
internal import RegistryContract
internal import StoreLayer

/// What clients expect of the data of an upload that comes in several requests.
extension ExpectedDigests {
    /// As a session's record has them.
    init(recorded: [String: String]) throws(ServiceError) {
        self.init()
        for (name, value) in recorded {
            guard let algorithm = DigestAlgorithm(rawValue: name), let bytes = [UInt8](hexadecimal: value) else {
                throw ServiceError(.internalError, "An upload's expected digest cannot be read.")
            }
            try add(Digest(bytes: bytes), algorithm)
        }
    }

    /// - Throws: `invalidRequest` where something else was expected.
    mutating func add(_ digest: Digest, _ algorithm: DigestAlgorithm) throws(ServiceError) {
        do throws(StoreError) {
            try expect(digest, algorithm)
        } catch {
            throw ServiceError(.invalidRequest, error.message, cause: error)
        }
    }

    /// As a session's record is to have them.
    var recorded: [String: String] {
        Dictionary(uniqueKeysWithValues: values.map { ($0.key.rawValue, $0.value.description) })
    }

    /// Asks of an upload that is finished what was asked of it, or would have been, before it was.
    ///
    /// - Throws: `invalidRequest` where its data has another digest; `conflict` where nobody knows, because it was not
    ///   computed.
    func requireCompared(with session: UploadSessionRecord) throws(ServiceError) {
        var known = session.terms.digests
        if let checksum = session.image.checksum { known[DigestAlgorithm.md5.rawValue] = checksum }
        if let name = session.image.hashAlgorithm, let value = session.image.hashValue { known[name] = value }
        for (algorithm, digest) in values {
            let name = algorithm.rawValue
            guard let value = known[name] else {
                throw ServiceError(
                    .conflict,
                    "The upload is complete, and the \(name) of its data was not computed: it was not asked for before."
                )
            }
            guard value == digest.description else {
                throw ServiceError(
                    .invalidRequest,
                    "The upload is complete, and the \(name) of its data is \(value), where \(digest) was expected."
                )
            }
        }
    }
}

internal import Digests
internal import HTTPTypes
internal import ImageModel
internal import StoreLayer

/// What requests of the tus protocol, version 1.0.0, say in their header fields. Whatever is malformed is refused before a
/// body is read.
struct TusHeaders {
    static let version = "1.0.0"
    static let extensions = "creation,expiration,checksum,termination,concatenation"
    /// By the names that the protocol gives them, which are those of `os_hash_algo` too.
    static let checksumAlgorithms: [DigestAlgorithm] = [.sha1, .md5, .sha256, .sha384, .sha512]
    static let longestMetadata = 4_096

    /// Of each answer.
    static let fields: HTTPFields = [.tusResumable: version, .tusVersion: version]

    let headers: HTTPFields

    /// - Throws: `preconditionFailed` for another version of the protocol, and for none.
    init(_ headers: HTTPFields) throws(ServiceError) {
        guard headers[.tusResumable] == Self.version else {
            throw ServiceError(
                .preconditionFailed,
                "Tus-Resumable must be \(Self.version), the only version served here."
            )
        }
        self.headers = headers
    }

    /// `Upload-Length`: an image without data needs no session.
    func length() throws(ServiceError) -> Int64 {
        guard headers[.uploadDeferLength] == nil else {
            throw ServiceError(.invalidRequest, "Upload-Defer-Length is not supported: Upload-Length must be given.")
        }
        guard let length = try number(.uploadLength), length > 0 else {
            throw ServiceError(.invalidRequest, "Upload-Length must be a positive number of bytes.")
        }
        return length
    }

    func offset() throws(ServiceError) -> Int64 {
        guard let offset = try number(.uploadOffset) else {
            throw ServiceError(.invalidRequest, "Upload-Offset must be given.")
        }
        return offset
    }

    /// Digits only: a sign or blanks are none.
    private func number(_ name: HTTPField.Name) throws(ServiceError) -> Int64? {
        guard let text = headers[name] else { return nil }
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(text) else {
            throw ServiceError(.invalidRequest, "\(name.rawName) is not a number of bytes.")
        }
        return number
    }

    /// `Upload-Checksum: <algorithm> <Base64>`, the digest of exactly this body.
    ///
    /// - Throws: `invalidRequest` also for header fields that say the same of it in other ways: none is passed over.
    func checksum() throws(ServiceError) -> (algorithm: DigestAlgorithm, digest: Digest)? {
        if let other = Self.contentDigests.first(where: { headers[$0] != nil }) {
            throw ServiceError(
                .invalidRequest,
                "\(other.rawName) is not looked at here: Upload-Checksum is for this request's bytes, and "
                    + "X-Openstack-Image-Checksum and X-Openstack-Image-Hash-Value are for the image's."
            )
        }
        guard let text = headers[.uploadChecksum] else { return nil }
        let parts = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard let algorithm = Self.checksumAlgorithms.first(where: { $0.rawValue == parts[0] }) else {
            let names = Self.checksumAlgorithms.map(\.rawValue).joined(separator: ", ")
            throw ServiceError(.invalidRequest, "Upload-Checksum names no known algorithm; there are: \(names).")
        }
        guard parts.count == 2, let bytes = [UInt8](base64: parts[1]), bytes.count == algorithm.byteCount else {
            throw ServiceError(
                .invalidRequest,
                "Upload-Checksum does not hold \(algorithm.byteCount) bytes in Base64, the length of \(algorithm.rawValue)."
            )
        }
        return (algorithm, Digest(bytes: bytes))
    }

    private static let contentDigests = [
        HTTPField.Name.tus("Content-MD5"), .tus("Content-Digest"), .tus("Repr-Digest"),
    ]

    /// What an upload is to its image's data.
    enum Concatenation: Equatable {
        case none, partial
        /// The URLs of the parts.
        case final([String])
    }

    func concatenation() throws(ServiceError) -> Concatenation {
        guard let text = headers[.uploadConcat] else { return .none }
        if text == "partial" { return .partial }
        guard text.hasPrefix("final;") else {
            throw ServiceError(
                .invalidRequest,
                "Upload-Concat must be \"partial\", or \"final;\" and the URLs of uploads."
            )
        }
        let urls = text.dropFirst(6).split(separator: " ").map(String.init)
        guard !urls.isEmpty, headers[.uploadLength] == nil else {
            throw ServiceError(.invalidRequest, "A final upload names its parts, and no Upload-Length.")
        }
        return .final(urls)
    }

    /// `Upload-Metadata` as it came; `nil` where there is none.
    func metadata() throws(ServiceError) -> String? {
        guard let text = headers[.uploadMetadata], !text.isEmpty else { return nil }
        _ = try entries(text)
        return text
    }

    /// What is expected of the image's digests: by the header fields of plain uploads, or by metadata of those names.
    func digests() throws(ServiceError) -> ExpectedDigests {
        var fields: HTTPFields = [:]
        for name in Self.digestFields { fields[name] = headers[name] }
        for (key, value) in try headers[.uploadMetadata].map(entries) ?? [] {
            guard let name = Self.digestFields.first(where: { $0.canonicalName == key.lowercased() }) else { continue }
            if let other = fields[name], other != value {
                throw ServiceError(.invalidRequest, "\(name.rawName) is given twice, with different values.")
            }
            fields[name] = value
        }
        return try ExpectedDigests(headers: fields)
    }

    private static let digestFields = [
        HTTPField.Name.tus("x-openstack-image-hash-algo"), .tus("x-openstack-image-hash-value"),
        .tus("x-openstack-image-checksum"),
    ]

    /// `key Base64,key Base64,key`: keys are unique, a value may be missing.
    private func entries(_ text: String) throws(ServiceError) -> [(key: String, value: String)] {
        let malformed = ServiceError(
            .invalidRequest,
            "Upload-Metadata must be a list of unique keys, each with its value in Base64, and at most "
                + "\(Self.longestMetadata) bytes long."
        )
        guard text.utf8.count <= Self.longestMetadata else { throw malformed }
        if text.isEmpty { return [] }
        var entries: [(key: String, value: String)] = []
        var keys: Set<String> = []
        for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = entry.split(separator: " ").map(String.init)
            guard let key = parts.first, parts.count <= 2, key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
                keys.insert(key).inserted
            else { throw malformed }
            guard parts.count == 2 else {
                entries.append((key, ""))
                continue
            }
            guard let bytes = [UInt8](base64: parts[1]) else { throw malformed }
            entries.append((key, String(decoding: bytes, as: UTF8.self)))
        }
        return entries
    }
}

extension HTTPField.Name {
    fileprivate static func tus(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is a token") }
        return name
    }

    static let tusResumable = tus("Tus-Resumable")
    static let tusVersion = tus("Tus-Version")
    static let tusExtension = tus("Tus-Extension")
    static let tusMaxSize = tus("Tus-Max-Size")
    static let tusChecksumAlgorithm = tus("Tus-Checksum-Algorithm")
    static let uploadLength = tus("Upload-Length")
    static let uploadDeferLength = tus("Upload-Defer-Length")
    static let uploadOffset = tus("Upload-Offset")
    static let uploadChecksum = tus("Upload-Checksum")
    static let uploadConcat = tus("Upload-Concat")
    static let uploadMetadata = tus("Upload-Metadata")
    static let uploadExpires = tus("Upload-Expires")
}

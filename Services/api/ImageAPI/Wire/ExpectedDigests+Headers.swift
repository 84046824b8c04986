internal import Digests
internal import HTTPTypes
internal import ImageModel
internal import StoreLayer

/// What the headers of an upload say of its data's digests. Whatever is malformed is refused before the body is read: who
/// asks for a comparison must not believe that one was made.
///
/// | Header | Value |
/// |---|---|
/// | `x-openstack-image-hash-algo`, `x-openstack-image-hash-value` | an algorithm's name as `os_hash_algo` has it, and hexadecimal |
/// | `x-openstack-image-checksum` | MD5 in hexadecimal |
/// | `Content-MD5` | MD5 in Base64 (RFC 1864), or in hexadecimal as downloads of images carry it |
/// | `Content-Digest`, `Repr-Digest` | RFC 9530; algorithms that are not known here are passed over |
extension ExpectedDigests {
    init(headers: HTTPFields) throws(ServiceError) {
        self.init()
        try takeMultihash(headers)
        if let text = headers.text("x-openstack-image-checksum") {
            try add([UInt8](hexadecimal: text), .md5, from: "x-openstack-image-checksum")
        }
        if let text = headers.text("Content-MD5") {
            let bytes = text.utf8.count == 24 ? [UInt8](base64: text) : [UInt8](hexadecimal: text)
            try add(bytes, .md5, from: "Content-MD5")
        }
        for name in ["Content-Digest", "Repr-Digest"] {
            if let text = headers.text(name) { try takeDictionary(text, from: name) }
        }
    }

    private mutating func takeMultihash(_ headers: HTTPFields) throws(ServiceError) {
        let (algorithmName, valueName) = ("x-openstack-image-hash-algo", "x-openstack-image-hash-value")
        switch (headers.text(algorithmName), headers.text(valueName)) {
        case (nil, nil): return
        case (let algorithm?, let value?):
            guard let algorithm = DigestAlgorithm(rawValue: algorithm.lowercased()) else {
                let names = DigestAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
                throw ServiceError(.invalidRequest, "\(algorithmName) names no known algorithm; there are: \(names).")
            }
            try add([UInt8](hexadecimal: value), algorithm, from: valueName)
        default:
            throw ServiceError(.invalidRequest, "\(algorithmName) and \(valueName) must be given together.")
        }
    }

    /// A dictionary of byte sequences (RFC 9530 §2, RFC 8941 §3.2): `sha-256=:…:, sha-512=:…:`.
    private mutating func takeDictionary(_ text: String, from name: String) throws(ServiceError) {
        for member in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = member.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = parts[0].withoutBlanks
            let value = parts.count == 2 ? parts[1].withoutBlanks : ""
            guard !key.isEmpty, value.count > 2, value.hasPrefix(":"), value.hasSuffix(":"),
                let bytes = [UInt8](base64: String(value.dropFirst().dropLast()))
            else {
                throw ServiceError(.invalidRequest, "\(name) is not a list of digests such as sha-256=:Base64:.")
            }
            guard let algorithm = Self.registered[key] else { continue }
            try add(bytes, algorithm, from: name)
        }
    }

    /// "Hash Algorithms for HTTP Digest Fields", those that are digests.
    private static let registered: [String: DigestAlgorithm] = [
        "md5": .md5, "sha": .sha1, "sha-256": .sha256, "sha-512": .sha512,
    ]

    private mutating func add(
        _ bytes: [UInt8]?,
        _ algorithm: DigestAlgorithm,
        from name: String
    ) throws(ServiceError) {
        guard let bytes, bytes.count == algorithm.byteCount else {
            throw ServiceError(
                .invalidRequest,
                "\(name) does not hold \(algorithm.byteCount) bytes, the length of \(algorithm.rawValue)."
            )
        }
        do throws(StoreError) {
            try expect(Digest(bytes: bytes), algorithm)
        } catch {
            throw ServiceError(.invalidRequest, error.message, cause: error)
        }
    }
}

extension HTTPFields {
    /// A field's value without blanks around it; several fields of one name are one value with commas.
    fileprivate func text(_ name: String) -> String? { HTTPField.Name(name).flatMap { self[$0] }?.withoutBlanks }
}

extension StringProtocol {
    fileprivate var withoutBlanks: String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}

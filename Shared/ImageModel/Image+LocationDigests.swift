/// Digests that clients give along with locations (`validation_data`; Image API v2, "Update image", locations). They are
/// kept as they are given: nobody here has seen the data.
extension Image {
    /// The digests that the image would get; without those that it has.
    ///
    /// - Throws: ``ServiceError`` (`conflict`).
    func digests(saidBy entries: [LocationEntry], _ rules: LocationRules) throws(ServiceError) -> [String: String] {
        let said = try Self.agreed(entries)
        let present = ["checksum": checksum, "os_hash_algo": hashAlgorithm, "os_hash_value": hashValue]
        var new: [String: String] = [:]
        for (name, value) in said.sorted(by: { $0.key < $1.key }) {
            guard let existing = present[name] ?? nil else {
                new[name] = value
                continue
            }
            guard existing == value else {
                throw ServiceError(.conflict, "'\(name)' is already set with a different value")
            }
        }
        guard !new.isEmpty else { return [:] }
        guard status == .queued else {
            let names = new.keys.sorted().joined(separator: ", ")
            throw ServiceError(
                .conflict,
                "New value(s) for \(names) may only be provided when image status is 'queued'"
            )
        }
        if let checksum = new["checksum"] {
            try HexadecimalDigest.require(checksum, byteCount: 16, as: "checksum", of: "md5", else: .conflict)
        }
        if let algorithm = new["os_hash_algo"] {
            guard algorithm == rules.hashAlgorithm else {
                throw ServiceError(
                    .conflict,
                    "os_hash_algo must be \(rules.hashAlgorithm), not \(algorithm.excerpt)"
                )
            }
        }
        if let value = new["os_hash_value"] {
            try HexadecimalDigest.require(
                value,
                byteCount: rules.hashByteCount,
                as: "os_hash_value",
                of: rules.hashAlgorithm,
                else: .conflict
            )
        }
        return new
    }

    mutating func take(_ digests: [String: String]) {
        if let value = digests["checksum"] { checksum = value }
        if let value = digests["os_hash_algo"] { hashAlgorithm = value }
        if let value = digests["os_hash_value"] { hashValue = value }
    }

    private static func agreed(_ entries: [LocationEntry]) throws(ServiceError) -> [String: String] {
        var agreed: [String: String] = [:]
        for validation in entries.compactMap(\.validation) {
            let said = [
                "checksum": validation.checksum, "os_hash_algo": validation.hashAlgorithm,
                "os_hash_value": validation.hashValue,
            ]
            for (name, value) in said.sorted(by: { $0.key < $1.key }) {
                guard let value else { continue }
                guard agreed[name] == nil || agreed[name] == value else {
                    throw ServiceError(.conflict, "Conflicting values for \(name)")
                }
                agreed[name] = value
            }
        }
        return agreed
    }
}

/// A digest as a client writes it.
enum HexadecimalDigest {
    /// - Throws: ``ServiceError`` of that code.
    static func require(
        _ text: String,
        byteCount: Int,
        as name: String,
        of algorithm: String,
        else code: ServiceError.Code
    ) throws(ServiceError) {
        guard text.utf8.count.isMultiple(of: 2), !text.isEmpty, text.utf8.allSatisfy(\.isHexadecimal) else {
            throw ServiceError(code, "\(name) (\(text.excerpt)) is not a valid hexadecimal value")
        }
        guard text.utf8.count == byteCount * 2 else {
            throw ServiceError(
                code,
                "\(name) is not the correct size for (\(algorithm)) (should be (\(byteCount)) bytes)"
            )
        }
    }
}

extension UInt8 {
    fileprivate var isHexadecimal: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}

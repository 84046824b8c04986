public import WireJSON

/// A location that is to be added, and the digest that its data must have (Image API v2, "Locations API").
public struct LocationRequest: Sendable, Equatable {
    /// What the data are said to be.
    public struct ExpectedDigest: Sendable, Equatable {
        /// One of ``LocationRequest/algorithms``.
        public var algorithm: String
        /// Hexadecimal, as the client wrote it.
        public var value: String

        public init(algorithm: String, value: String) {
            self.algorithm = algorithm
            self.value = value
        }
    }

    public var url: String
    public var expected: ExpectedDigest?

    /// With the length of their digests in bytes.
    public static let algorithms: KeyValuePairs = ["sha1": 20, "sha256": 32, "sha512": 64, "md5": 16]
    /// Longer URLs fit no index.
    static let maximumURLLength = 2_048

    private static let schema = JSONSchema(
        .object,
        properties: [
            JSONSchema.Property("url", JSONSchema(.string, maxLength: maximumURLLength)),
            JSONSchema.Property(
                "validation_data",
                JSONSchema(
                    .object,
                    properties: [
                        JSONSchema.Property(
                            "os_hash_algo",
                            JSONSchema(.string, choices: algorithms.map { .string($0.key) })
                        ),
                        JSONSchema.Property("os_hash_value", JSONSchema(.string, maxLength: 128)),
                    ],
                    additionalProperties: .nothing
                )
            ),
        ],
        required: ["url"]
    )

    /// - Throws: ``ServiceError`` (`invalidRequest`).
    public init(parsing body: JSONValue) throws(ServiceError) {
        if let violation = Self.schema.firstViolation(of: body) {
            let place = violation.path.isEmpty ? "the body" : "'\(violation.path.excerpt)'"
            throw Self.mismatch("\(place) \(violation.sentence).")
        }
        url = body.objectValue?["url"]?.stringValue ?? ""
        let said = body.objectValue?["validation_data"]?.objectValue ?? [:]
        switch (said["os_hash_algo"]?.stringValue, said["os_hash_value"]?.stringValue) {
        case (let algorithm?, let value?): expected = ExpectedDigest(algorithm: algorithm, value: value)
        case (nil, nil): expected = nil
        default: throw Self.mismatch("'os_hash_algo' and 'os_hash_value' are required together.")
        }
    }

    private static func mismatch(_ detail: String) -> ServiceError {
        ServiceError(.invalidRequest, "Provided object does not match schema 'location': \(detail)")
    }

    /// Comes after everything that may refuse the caller.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    public func requireDigest() throws(ServiceError) {
        guard let expected, let length = Self.algorithms.first(where: { $0.key == expected.algorithm })?.value else {
            return
        }
        try HexadecimalDigest.require(
            expected.value,
            byteCount: length,
            as: "os_hash_value",
            of: expected.algorithm,
            else: .invalidRequest
        )
    }
}

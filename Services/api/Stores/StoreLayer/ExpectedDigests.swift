public import Digests

/// What a sender says that the digests of its data are.
public struct ExpectedDigests: Sendable, Hashable {
    public private(set) var values: [DigestAlgorithm: Digest] = [:]

    public init() {}

    public var isEmpty: Bool { values.isEmpty }

    /// Adds one more.
    ///
    /// - Throws: `digestMismatch` where the sender has said something else of the same algorithm.
    public mutating func expect(_ digest: Digest, _ algorithm: DigestAlgorithm) throws(StoreError) {
        if let other = values[algorithm], other != digest {
            throw StoreError(
                .digestMismatch,
                "The \(algorithm.rawValue) of the data is expected to be two different values: \(other) and \(digest)"
            )
        }
        values[algorithm] = digest
    }

    /// - Throws: `digestMismatch`.
    public func require(_ digest: Digest, _ algorithm: DigestAlgorithm) throws(StoreError) {
        guard let expected = values[algorithm], expected != digest else { return }
        throw StoreError(
            .digestMismatch,
            "The \(algorithm.rawValue) of uploaded data is \(digest), where \(expected) was expected: nothing of it was kept"
        )
    }
}

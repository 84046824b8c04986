public import Digests

/// A digest that data is said to have.
public struct ExpectedDigest: Sendable, Equatable {
    public var algorithm: DigestAlgorithm
    /// In lower-case hexadecimal.
    public var value: String

    public init(_ algorithm: DigestAlgorithm, hexadecimal: String) {
        self.algorithm = algorithm
        value = hexadecimal.lowercased()
    }
}

/// Data that is not what was recorded of it.
public struct DigestMismatch: Error, Sendable, Equatable {
    public var expected: ExpectedDigest
    public var found: Digest
}

/// Chunks that are held against a digest while they pass. The last one is kept back until the digest of all is known, so
/// that whoever reads other data than is expected is never given the end of it.
///
/// Holds one chunk besides those that wait for a thread.
public struct VerifiedChunks<Base: ChunkSequence>: AsyncSequence, Sendable {
    public typealias Failure = any Error

    private let base: Base
    private let expected: ExpectedDigest
    private let threads: WorkerThreads

    /// - Parameters:
    ///   - expected: The digest of all chunks together; another is a ``DigestMismatch``.
    ///   - threads: Where digests are computed.
    public init(_ base: Base, expected: ExpectedDigest, threads: WorkerThreads) {
        self.base = base
        self.expected = expected
        self.threads = threads
    }

    public func makeAsyncIterator() -> Iterator {
        Iterator(base: base.makeAsyncIterator(), expected: expected, lane: DigestLane(expected.algorithm, on: threads))
    }

    public struct Iterator: AsyncIteratorProtocol {
        private var base: Base.AsyncIterator
        private let expected: ExpectedDigest
        private let lane: DigestLane
        private var held: Chunk?
        private var isAtEnd = false

        init(base: Base.AsyncIterator, expected: ExpectedDigest, lane: DigestLane) {
            self.base = base
            self.expected = expected
            self.lane = lane
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Chunk? {
            while !isAtEnd {
                guard let chunk = try await base.next(isolation: actor) else {
                    isAtEnd = true
                    let found = await lane.finish()
                    guard found.description == expected.value else {
                        throw DigestMismatch(expected: expected, found: found)
                    }
                    break
                }
                lane.add(chunk)
                await lane.wait(for: 1)
                if let passing = held {
                    held = chunk
                    return passing
                }
                held = chunk
            }
            defer { held = nil }
            return held
        }
    }
}

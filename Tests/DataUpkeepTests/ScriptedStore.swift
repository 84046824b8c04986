import NIOCore
import StoreLayer
import Synchronization

/// A store that does what a test tells it to, and counts what it was asked.
final class ScriptedStore: Store {
    let identifier: String
    let capabilities: StoreCapabilities = [.read, .delete]
    let details = StoreDetails(type: "scripted")
    /// What the n-th reading gives; the last goes for all that follow.
    private let readings: [Result<[UInt8], StoreError>]
    private let deletion: Result<Void, StoreError>
    private let state = Mutex(State())

    private struct State {
        var openings = 0
        var deletions = 0
        var running = 0
        var mostRunning = 0
    }

    init(
        _ identifier: String = "memory",
        readings: [Result<[UInt8], StoreError>] = [],
        deletion: Result<Void, StoreError> = .success(())
    ) {
        self.identifier = identifier
        self.readings = readings
        self.deletion = deletion
    }

    var openings: Int { state.withLock { $0.openings } }
    var deletions: Int { state.withLock { $0.deletions } }
    /// How many deletions ran at once.
    var mostAtOnce: Int { state.withLock { $0.mostRunning } }

    func recognizes(_ url: String) -> Bool { url.hasPrefix("\(identifier)://") }

    func open(_ url: String, range: Range<Int64>?) async throws(StoreError) -> any Blob {
        let number = state.withLock { state in
            defer { state.openings += 1 }
            return min(state.openings, readings.count - 1)
        }
        return ScriptedBlob(bytes: try readings[number].get())
    }

    func delete(_ url: String, identity: String?) async throws(StoreError) {
        state.withLock { state in
            state.deletions += 1
            state.running += 1
            state.mostRunning = max(state.mostRunning, state.running)
        }
        for _ in 0..<20 { await Task.yield() }
        state.withLock { $0.running -= 1 }
        try deletion.get()
    }

    func intend(_ object: String, attempt: String, size: Int64?) async throws(StoreError) -> IntendedLocation {
        throw unsupported
    }

    func write(
        _ location: IntendedLocation,
        size: Int64?,
        body: some ChunkSequence,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws -> StoredData {
        throw unsupported
    }

    func confirm(_ location: IntendedLocation) async throws(StoreError) { throw unsupported }
    func discard(_ location: IntendedLocation) async throws(StoreError) { throw unsupported }
    func leftovers() async throws(StoreError) -> [IntendedLocation] { throw unsupported }

    private var unsupported: StoreError { StoreError(.unsupported, "This store keeps nothing") }
}

private struct ScriptedBlob: Blob {
    let bytes: [UInt8]
    var totalByteCount: Int64 { Int64(bytes.count) }
    var range: Range<Int64> { 0..<totalByteCount }
    let localFile: LocalFile? = nil

    func chunks(of byteCount: Int) -> any ChunkSequence { ScriptedChunks(bytes: bytes) }
    func close() {}
}

/// A byte at a time.
private struct ScriptedChunks: AsyncSequence, Sendable {
    typealias Failure = any Error

    let bytes: [UInt8]

    func makeAsyncIterator() -> Iterator { Iterator(rest: bytes[...]) }

    struct Iterator: AsyncIteratorProtocol {
        var rest: ArraySlice<UInt8>

        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Chunk? {
            rest.popFirst().map { Chunk(bytes: [$0]) }
        }
    }
}

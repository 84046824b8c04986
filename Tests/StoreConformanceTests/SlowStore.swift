import Glibc
import NIOCore
import StoreLayer

/// A store that takes its time, and sees how far the sender is ahead of it.
struct SlowStore: Store {
    let identifier = "slow"
    let capabilities: StoreCapabilities = [.write]
    let details = StoreDetails(type: "slow")
    /// Bytes that the sender has given.
    let given: Counter
    /// Bytes given and not yet taken, at worst.
    let mostAhead = Counter()

    func recognizes(_ url: String) -> Bool { false }

    func intend(_ object: String, attempt: String, size: Int64?) async -> IntendedLocation {
        IntendedLocation(url: "slow://\(object)", object: object, attempt: attempt)
    }

    func write(
        _ location: IntendedLocation,
        size: Int64?,
        body: some ChunkSequence,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws -> StoredData {
        var taken = 0
        for try await chunk in body {
            try await Task.sleep(for: .milliseconds(2))
            mostAhead.raise(to: given.value - taken)
            taken += chunk.readableBytes
        }
        return StoredData(byteCount: Int64(taken), identity: nil)
    }

    func confirm(_ location: IntendedLocation) async {}
    func discard(_ location: IntendedLocation) async {}
    func open(_ url: String, range: Range<Int64>?) async throws(StoreError) -> any Blob {
        throw StoreError(.unsupported, "This store only writes")
    }
    func delete(_ url: String, identity: String?) async {}
    func leftovers() async -> [IntendedLocation] { [] }
}

/// Blocks the thread for a moment: long enough for others to get on.
func sleepBriefly(microseconds: UInt32 = 20_000) { usleep(microseconds) }

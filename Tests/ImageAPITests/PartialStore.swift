import NIOCore
import StoreLayer
import Synchronization

/// A store that has the bytes of one attempt, and remembers whose it threw away.
final class PartialStore: ResumableStore, EmptyStore {
    let identifier = "only"
    let capabilities: StoreCapabilities = []
    let details = StoreDetails(type: "stub")
    private let gone = Mutex<[String]>([])

    var discarded: [String] { gone.withLock { $0 } }

    func recognizes(_ url: String) -> Bool { url.hasPrefix("stub://only/") }
    func confirm(_ location: IntendedLocation) async throws(StoreError) {}
    func discard(_ location: IntendedLocation) async throws(StoreError) {
        gone.withLock { $0.append(location.attempt) }
    }

    func delete(_ url: String, identity: String?) async throws(StoreError) { throw Self.unsupported }

    func beginPartial(_ location: IntendedLocation, size: Int64?) async throws(StoreError) -> any PartialData {
        throw Self.unsupported
    }

    func resumePartial(_ location: IntendedLocation) async throws(StoreError) -> any PartialData {
        throw Self.unsupported
    }
}

/// Bytes that have come, all of them; more are taken and forgotten.
struct PartialBytes: PartialData {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func write(_ batch: Chunk, at offset: Int64) async throws(StoreError) {}
    func sync() async throws(StoreError) {}

    func read(_ range: Range<Int64>) async throws(StoreError) -> Chunk {
        ByteBuffer(bytes: bytes[Int(range.lowerBound)..<Int(range.upperBound)])
    }

    func publish(
        byteCount: Int64,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws(StoreError) -> StoredData {
        StoredData(byteCount: byteCount, identity: nil)
    }
}

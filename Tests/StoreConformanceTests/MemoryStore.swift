import NIOCore
import NIOHTTP1
import StoreLayer
import Synchronization

/// The contract of a store in its shortest form; also what other tests use where no file is wanted.
final class MemoryStore: Store {
    let identifier: String
    let capabilities: StoreCapabilities
    let details = StoreDetails(type: "memory")

    private struct Object {
        var bytes: Chunk
        var identity: String
    }

    private struct State {
        var objects: [String: Object] = [:]
        /// What an attempt has published, or `nil`, by the attempts that are open.
        var attempts: [IntendedLocation: String?] = [:]
        var count = 0
    }

    private let state = Mutex(State())

    init(_ identifier: String, capabilities: StoreCapabilities = [.read, .readRanges, .write, .delete]) {
        self.identifier = identifier
        self.capabilities = capabilities
    }

    var names: [String] {
        state.withLock { state in
            (Array(state.objects.keys) + state.attempts.keys.map { "attempt \($0.attempt) at \($0.object)" }).sorted()
        }
    }

    func recognizes(_ url: String) -> Bool { url.hasPrefix("memory://\(identifier)/") }

    func intend(_ object: String, attempt: String, size: Int64?) async throws(StoreError) -> IntendedLocation {
        guard !object.isEmpty, !object.hasPrefix("."), !object.contains("/"), !object.utf8.contains(0) else {
            throw StoreError(.invalidLocation, "Invalid location")
        }
        return IntendedLocation(url: "memory://\(identifier)/\(object)", object: object, attempt: attempt)
    }

    func write(
        _ location: IntendedLocation,
        size: Int64?,
        body: some ChunkSequence,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws -> StoredData {
        state.withLock { $0.attempts[location] = .some(nil) }
        do {
            guard mayStillPublish() else { throw superseded }
            var bytes = Chunk()
            for try await var chunk in body { bytes.writeBuffer(&chunk) }
            try Task.checkCancellation()
            guard mayStillPublish() else { throw superseded }
            return try state.withLock { state in
                guard state.attempts[location] != nil else { throw superseded }
                guard state.objects[location.url] == nil else {
                    throw StoreError(.alreadyExists, "Unable to upload duplicate image data")
                }
                state.count += 1
                let identity = "\(state.count)"
                state.objects[location.url] = Object(bytes: bytes, identity: identity)
                state.attempts[location] = identity
                return StoredData(byteCount: Int64(bytes.readableBytes), identity: identity)
            }
        } catch {
            await discard(location)
            throw error
        }
    }

    func confirm(_ location: IntendedLocation) async {
        state.withLock { _ = $0.attempts.removeValue(forKey: location) }
    }

    func discard(_ location: IntendedLocation) async {
        state.withLock { state in
            guard let published = state.attempts.removeValue(forKey: location), let published,
                state.objects[location.url]?.identity == published
            else { return }
            state.objects[location.url] = nil
        }
    }

    func open(_ url: String, range: Range<Int64>?) async throws(StoreError) -> any Blob {
        let object = try object(url)
        let total = Int64(object.bytes.readableBytes)
        let range = range ?? 0..<total
        guard range.upperBound <= total,
            let part = object.bytes.getSlice(at: Int(range.lowerBound), length: range.count)
        else {
            throw StoreError(.sizeMismatch, "Size mismatch: expected \(range.upperBound) bytes, got \(total) bytes")
        }
        return MemoryBlob(totalByteCount: total, range: range, bytes: part)
    }

    func delete(_ url: String, identity: String?) async throws(StoreError) {
        guard recognizes(url) else { throw StoreError(.invalidLocation, "Invalid location") }
        let isFound = state.withLock { state in
            guard let object = state.objects[url], identity == nil || identity == object.identity else { return false }
            state.objects[url] = nil
            return true
        }
        if !isFound { throw StoreError(.notFound, "Image data not found") }
    }

    func leftovers() async -> [IntendedLocation] { state.withLock { Array($0.attempts.keys) } }

    /// What a web server answers that has these objects, by their names.
    func serve(_ request: WebServer.Request) -> WebServer.Answer {
        let url = "memory://\(identifier)\(request.path)"
        guard let bytes = state.withLock({ $0.objects[url]?.bytes }) else { return WebServer.Answer(status: .notFound) }
        return WebServer.serving(bytes, to: request)
    }

    private var superseded: StoreError { StoreError(.superseded, "The upload lost its right to this image") }

    private func object(_ url: String) throws(StoreError) -> Object {
        guard recognizes(url) else { throw StoreError(.invalidLocation, "Invalid location") }
        guard let object = state.withLock({ $0.objects[url] }) else {
            throw StoreError(.notFound, "Image data not found")
        }
        return object
    }
}

struct MemoryBlob: Blob {
    let totalByteCount: Int64
    let range: Range<Int64>
    let bytes: Chunk
    let localFile: LocalFile? = nil

    func chunks(of byteCount: Int) -> any ChunkSequence { BatchedChunks(Body(bytes), of: byteCount) }

    func close() {}
}

import NIOCore
import StoreLayer

/// A store as one of objects in the network is: data goes in parts of one length, whose number nobody knows before, each
/// call may fail or never be answered, and what an attempt left is found by a mark that it made first.
struct MultipartStore: Store {
    let identifier: String
    let capabilities: StoreCapabilities = [.read, .readRanges, .write, .delete]
    let details = StoreDetails(type: "multipart")
    let server: MultipartServer
    var partByteCount = 5_000

    init(_ identifier: String, _ server: MultipartServer = MultipartServer()) {
        self.identifier = identifier
        self.server = server
    }

    private var prefix: String { "multipart://\(identifier)/" }

    func recognizes(_ url: String) -> Bool { url.hasPrefix(prefix) && url.utf8.count > prefix.utf8.count }

    func intend(_ object: String, attempt: String, size: Int64?) async throws(StoreError) -> IntendedLocation {
        guard !object.isEmpty, !object.hasPrefix("."), !object.contains("/"), !object.utf8.contains(0) else {
            throw StoreError(.invalidLocation, "Invalid location")
        }
        return IntendedLocation(url: prefix + object, object: object, attempt: attempt)
    }

    func write(
        _ location: IntendedLocation,
        size: Int64?,
        body: some ChunkSequence,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws -> StoredData {
        do {
            try await server.mark(mark(location))
            try requireLease(mayStillPublish)
            let upload = try await server.createUpload(location.object, attempt: location.attempt)
            var byteCount: Int64 = 0
            for try await part in BatchedChunks(body, of: partByteCount) {
                try Task.checkCancellation()
                try await server.putPart(part, to: upload)
                byteCount += Int64(part.readableBytes)
            }
            try Task.checkCancellation()
            try requireLease(mayStillPublish)
            let tag = try await server.complete(upload)
            return StoredData(byteCount: byteCount, identity: tag)
        } catch {
            // What is left is found by its mark.
            try? await discard(location)
            throw error
        }
    }

    private func requireLease(_ isHeld: () -> Bool) throws(StoreError) {
        guard isHeld() else { throw StoreError(.superseded, "The upload lost its right to this image") }
    }

    private func mark(_ location: IntendedLocation) -> String { "\(location.object) \(location.attempt)" }

    func confirm(_ location: IntendedLocation) async throws(StoreError) { try await server.unmark(mark(location)) }

    func discard(_ location: IntendedLocation) async throws(StoreError) {
        guard try await server.marks().contains(mark(location)) else { return }
        try await server.abort(location.object, attempt: location.attempt)
        if let object = try await server.object(location.object), object.attempt == location.attempt {
            _ = try await server.delete(location.object, tag: object.tag)
        }
        try await server.unmark(mark(location))
    }

    func open(_ url: String, range: Range<Int64>?) async throws(StoreError) -> any Blob {
        guard let object = try await server.object(try key(url)) else {
            throw StoreError(.notFound, "Image data not found")
        }
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
        guard try await server.delete(try key(url), tag: identity) else {
            throw StoreError(.notFound, "Image data not found")
        }
    }

    func leftovers() async throws(StoreError) -> [IntendedLocation] {
        try await server.marks().map { mark in
            let parts = mark.split(separator: " ").map(String.init)
            return IntendedLocation(url: prefix + parts[0], object: parts[0], attempt: parts[1])
        }
    }

    private func key(_ url: String) throws(StoreError) -> String {
        guard recognizes(url) else { throw StoreError(.invalidLocation, "Invalid location") }
        return String(url.dropFirst(prefix.count))
    }
}

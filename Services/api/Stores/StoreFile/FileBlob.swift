internal import Glibc
internal import NIOCore
internal import StoreLayer
internal import Synchronization

/// A part of a file that is open.
final class FileBlob: Blob {
    let totalByteCount: Int64
    let range: Range<Int64>
    private let threads: WorkerThreads
    private let timeLimit: Duration?
    private let file: Mutex<OpenFile?>

    /// - Throws: `sizeMismatch` when the file ends before `range` does.
    init(
        _ file: OpenFile,
        totalByteCount: Int64,
        range: Range<Int64>?,
        threads: WorkerThreads,
        timeLimit: Duration?
    ) throws(StoreError) {
        let range = range ?? 0..<totalByteCount
        precondition(range.lowerBound >= 0)
        guard range.upperBound <= totalByteCount else { throw .tooShort(range.upperBound, totalByteCount) }
        self.totalByteCount = totalByteCount
        self.range = range
        self.threads = threads
        self.timeLimit = timeLimit
        self.file = Mutex(file)
    }

    var localFile: LocalFile? {
        let (threads, limit) = (threads, timeLimit)
        return file.withLock { $0 }.map { file in
            LocalFile(descriptor: file.descriptor, range: range) { part throws(StoreError) in
                try await threads.run(within: limit) { () throws(StoreError) in try file.load(part) }
            }
        }
    }

    func chunks(of byteCount: Int) -> any ChunkSequence {
        precondition(byteCount > 0)
        return FileChunks(
            file: file.withLock { $0 },
            range: range,
            byteCount: byteCount,
            threads: threads,
            timeLimit: timeLimit
        )
    }

    func close() { file.withLock { $0 = nil } }
}

/// Reads a file chunk by chunk on worker threads, one chunk ahead of its reader. Keeps the file open as long as it lasts.
private struct FileChunks: AsyncSequence, Sendable {
    typealias Failure = any Error

    let file: OpenFile?
    let range: Range<Int64>
    let byteCount: Int
    let threads: WorkerThreads
    let timeLimit: Duration?

    func makeAsyncIterator() -> Iterator { Iterator(chunks: self, offset: range.lowerBound) }

    struct Iterator: AsyncIteratorProtocol {
        let chunks: FileChunks
        /// Where the next read starts.
        var offset: Int64
        var ahead: Pending<Chunk, StoreError>?

        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Chunk? {
            try Task.checkCancellation()
            guard let current = try ahead ?? read() else { return nil }
            ahead = nil
            let chunk = try await current.value(within: chunks.timeLimit)
            ahead = try read()
            return chunk
        }

        /// Starts to read the next chunk; `nil` where there is none.
        private mutating func read() throws(StoreError) -> Pending<Chunk, StoreError>? {
            let range = offset..<Swift.min(offset + Int64(chunks.byteCount), chunks.range.upperBound)
            if range.isEmpty { return nil }
            guard let file = chunks.file else { throw StoreError(.failed, "Image data was closed") }
            offset = range.upperBound
            return chunks.threads.start { () throws(StoreError) in try file.chunk(range) }
        }
    }
}

extension OpenFile {
    /// - Throws: `sizeMismatch` when the file ends before `range` does.
    func chunk(_ range: Range<Int64>) throws(StoreError) -> Chunk {
        var chunk = Chunk()
        var failure: SystemCallError?
        let count = chunk.writeWithUnsafeMutableBytes(minimumWritableBytes: range.count) { space in
            do throws(SystemCallError) {
                return try read(
                    into: UnsafeMutableRawBufferPointer(rebasing: space[..<range.count]),
                    at: range.lowerBound
                )
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw StoreError(reading: failure) }
        guard count == range.count else { throw .tooShort(range.upperBound, range.lowerBound + Int64(count)) }
        return chunk
    }
}

extension StoreError {
    static func tooShort(_ expected: Int64, _ got: Int64) -> StoreError {
        StoreError(.sizeMismatch, "Size mismatch: expected \(expected) bytes, got \(got) bytes")
    }
}

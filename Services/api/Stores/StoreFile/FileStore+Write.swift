internal import Glibc
internal import NIOCore
public import StoreLayer

extension FileStore {
    /// Bytes per write: a change of thread for each is too much for small chunks, which are gathered.
    private static let batchByteCount = 512 * 1024

    public func write(
        _ location: IntendedLocation,
        size: Int64?,
        body: some ChunkSequence,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws -> StoredData {
        let files = try files(location)
        let options = options
        let file = try await call { () throws(StoreError) in try files.begin(size: size) }
        do {
            try await call { () throws(StoreError) in
                guard mayStillPublish() else { throw .superseded }
            }
            let byteCount = try await fill(file, with: body, size: size)
            // A body may end early when its reader is cancelled.
            try Task.checkCancellation()
            return try await threads.run(within: options.syncTimeLimit) { () throws(StoreError) in
                let stored = try file.complete(byteCount: byteCount, permissions: options.permissions)
                try files.publish(file, mayStillPublish: mayStillPublish)
                return stored
            }
        } catch {
            do throws(StoreError) {
                try await call { () throws(StoreError) in try files.discard(patience: options.lockPatience) }
            } catch {
                // What kept the data from being stored is what the caller needs to know. What is left has its
                // temporary name still: the caller's own discard and `leftovers` find it.
            }
            throw error
        }
    }

    /// Writes each batch while the next one is on its way.
    ///
    /// - Returns: How many bytes there were.
    private func fill(_ file: OpenFile, with body: some ChunkSequence, size: Int64?) async throws -> Int64 {
        let block = options.isThin ? options.blockByteCount : nil
        // Holes are what thin provisioning is for.
        let reserve = options.isThin ? nil : size
        var offset: Int64 = 0
        var reserved: Int64 = 0
        var pending: Pending<Void, StoreError>?
        do {
            for try await batch in BatchedChunks(body, of: Self.batchByteCount, passing: BatchBudget.shortest) {
                try await pending?.value(within: options.timeLimit)
                pending = nil
                try Task.checkCancellation()
                let start = offset
                offset += Int64(batch.readableBytes)
                let missing = reserved..<min(max(reserved, reserve ?? 0), reserved + reservedByteCount)
                let isMissed = offset > reserved && !missing.isEmpty
                if isMissed { reserved = missing.upperBound }
                pending = threads.start { () throws(StoreError) in
                    if isMissed { try file.reserve(missing) }
                    try file.write(batch, at: start, holesOf: block)
                }
            }
        } catch {
            // A write must be over before its file is cleared away; the body's error is the one that counts.
            if let pending { _ = try? await pending.value(within: options.timeLimit) }
            throw error
        }
        try await pending?.value(within: options.timeLimit)
        return offset
    }
}

extension AttemptFiles {
    /// - Parameter size: Of what is going to be written, where it is known.
    func begin(size: Int64? = nil) throws(StoreError) -> OpenFile {
        let isTaken = try translating(StoreError.init(writing:)) { () throws(SystemCallError) in
            try FileStatus.of(final) != nil
        }
        // Publishing would find out as well, after all of the bytes; so would writing.
        if isTaken { throw .duplicate }
        if let size {
            let free = try translating(StoreError.init(writing:)) { () throws(SystemCallError) in
                try directory.freeByteCount()
            }
            guard size <= free else { throw StoreError(.full, "Image storage media is full") }
        }
        return try translating(StoreError.init(writing:)) { () throws(SystemCallError) in try create() }
    }
}

/// What is reserved at a time: files become few long runs of blocks, and nobody holds more of a disk by a promise alone.
private let reservedByteCount: Int64 = 256 << 20

extension OpenFile {
    /// Reserves the blocks of the next part of a file whose size is known, each time that writing comes to a new part.
    fileprivate func reserve(_ part: Range<Int64>) throws(StoreError) {
        do throws(SystemCallError) {
            try allocate(part)
        } catch {
            // A file system that reserves nothing still writes.
            guard error.number == EOPNOTSUPP || error.number == ENOSYS else { throw StoreError(writing: error) }
        }
    }

    /// - Parameter block: Length of the blocks that are left out when all zero, in bytes; `nil` writes everything.
    fileprivate func write(_ batch: Chunk, at offset: Int64, holesOf block: Int?) throws(StoreError) {
        try translating(StoreError.init(writing:)) { () throws(SystemCallError) in
            var failure: SystemCallError?
            batch.withUnsafeReadableBytes { bytes in
                do throws(SystemCallError) {
                    if let block {
                        try writeThin(bytes, at: offset, block: block)
                    } else {
                        try write(bytes, at: offset)
                    }
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }
    }

    /// Writes the runs between blocks of zeros. Blocks lie at multiples of their length in the file; one that is only partly
    /// in a batch counts for itself.
    private func writeThin(_ bytes: UnsafeRawBufferPointer, at offset: Int64, block: Int) throws(SystemCallError) {
        var run = 0..<0
        let ahead = Int(offset % Int64(block))
        for first in stride(from: -ahead, to: bytes.count, by: block) {
            let (start, end) = (max(0, first), min(first + block, bytes.count))
            if !UnsafeRawBufferPointer(rebasing: bytes[start..<end]).isZero {
                run = run.isEmpty ? start..<end : run.lowerBound..<end
                continue
            }
            try write(UnsafeRawBufferPointer(rebasing: bytes[run]), at: offset + Int64(run.lowerBound))
            run = end..<end
        }
        try write(UnsafeRawBufferPointer(rebasing: bytes[run]), at: offset + Int64(run.lowerBound))
    }

    /// Gives the file its length and permissions; no byte is written after this. Done again it changes nothing, the
    /// identity included.
    func complete(byteCount: Int64, permissions: UInt32?) throws(StoreError) -> StoredData {
        try translating(StoreError.init(writing:)) { () throws(SystemCallError) in
            // Holes at the end make no file longer by themselves.
            if try self.status().byteCount != byteCount { try truncate(to: byteCount) }
            if let permissions { changePermissions(permissions) }
            try sync()
            let status = try status()
            return StoredData(byteCount: status.byteCount, identity: status.identity)
        }
    }
}

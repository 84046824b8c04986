internal import CFileSystem
internal import Glibc
internal import StoreLayer

/// Bytes that the system finds in its memory together: it reads ahead by at least so much.
private let windowByteCount: Int64 = 128 << 10

extension OpenFile {
    /// Brings a part of the file into the system's memory, so that sending it does not wait for a disk. What is there
    /// already is only touched: every window of a file system's reading ahead at its first byte.
    ///
    /// - Throws: `sizeMismatch` when the file ends before `range` does.
    func load(_ range: Range<Int64>) throws(StoreError) {
        try translating(StoreError.init(reading:)) { () throws(SystemCallError) in
            var isAsked = false
            for start in stride(from: range.lowerBound, to: range.upperBound, by: Int(windowByteCount)) {
                if try isLoaded(start) { continue }
                if !isAsked {
                    isAsked = true
                    // Advice, which a file system may pass over; the reads below decide.
                    posix_fadvise(descriptor, off_t(start), off_t(range.upperBound - start), POSIX_FADV_WILLNEED)
                }
                try readThrough(start..<min(start + windowByteCount, range.upperBound))
            }
        }
        let end = try translating(StoreError.init(reading:)) { () throws(SystemCallError) in try status().byteCount }
        guard end >= range.upperBound else { throw .tooShort(range.upperBound, end) }
    }

    private func isLoaded(_ offset: Int64) throws(SystemCallError) -> Bool {
        var byte: UInt8 = 0
        do throws(SystemCallError) {
            try withUnsafeMutableBytes(of: &byte) { space throws(SystemCallError) in
                var vector = iovec(iov_base: space.baseAddress, iov_len: 1)
                try system("preadv2", path) { preadv2(descriptor, &vector, 1, off_t(offset), GLANCE_READ_NO_WAIT) }
            }
            return true
        } catch {
            // Not in memory, or a file system that cannot tell.
            guard error.number == EAGAIN || error.number == EOPNOTSUPP || error.number == ENOSYS else { throw error }
            return false
        }
    }

    private func readThrough(_ range: Range<Int64>) throws(SystemCallError) {
        var failure: SystemCallError?
        withUnsafeTemporaryAllocation(byteCount: range.count, alignment: 16) { space in
            do throws(SystemCallError) {
                _ = try read(into: space, at: range.lowerBound)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}

/// Opened data, or an opened part of it.
public protocol Blob: Sendable {
    /// Length of the data as a whole in bytes.
    var totalByteCount: Int64 { get }
    /// The bytes that ``chunks(of:)`` gives: `0..<totalByteCount`, or the range asked for.
    var range: Range<Int64> { get }
    /// The file that holds the bytes, where they are in one: for `sendfile`. `nil` after ``close()``.
    var localFile: LocalFile? { get }

    /// The bytes of ``range`` in chunks of at most `byteCount`; a few of them are held at a time, those read ahead
    /// included. The sequence throws when the data turns out shorter than it was, so that it is never taken for complete.
    func chunks(of byteCount: Int) -> any ChunkSequence

    /// Lets go of the data; chunks being read are still read. Idempotent, and done at last when the blob goes away.
    func close()
}

/// A part of an open file.
public struct LocalFile: Sendable {
    /// Open as long as this value is kept: to be duplicated by whoever needs it longer.
    public var descriptor: Int32
    public var range: Range<Int64>
    private let loading: @Sendable (Range<Int64>) async throws(StoreError) -> Void

    /// - Parameter load: What ``load(_:)`` does.
    public init(
        descriptor: Int32,
        range: Range<Int64>,
        load: @escaping @Sendable (Range<Int64>) async throws(StoreError) -> Void
    ) {
        self.descriptor = descriptor
        self.range = range
        self.loading = load
    }

    /// Brings some of the file's bytes into the system's memory, on a thread of the store's, so that whoever sends them
    /// does not have to wait for a disk.
    ///
    /// - Throws: `sizeMismatch` when the file has become shorter, `unavailable`.
    public func load(_ range: Range<Int64>) async throws(StoreError) { try await loading(range) }
}

/// A store that keeps the bytes of an attempt between requests, and takes them in any order.
public protocol ResumableStore: Store {
    /// Leaves the attempt's first trace, durably, and gives access to its bytes, of which there are none yet.
    ///
    /// - Throws: `alreadyExists`, `full`, `writeDenied`, `unavailable`, `invalidLocation`.
    func beginPartial(_ location: IntendedLocation, size: Int64?) async throws(StoreError) -> any PartialData

    /// Gives access to what was begun, by an earlier process too. One process at a time has it until it is published; from
    /// then on nobody writes to it, in whatever process.
    ///
    /// - Throws: `notFound`; `inUse` while another process has it; `unavailable`, `invalidLocation`.
    func resumePartial(_ location: IntendedLocation) async throws(StoreError) -> any PartialData
}

/// Bytes that are not yet an object. They end like those of every attempt: published and confirmed, or discarded.
///
/// Every call may throw `timedOut`; what was asked may then be done later, but never after what is asked next.
public protocol PartialData: Sendable {
    /// Bytes written to the same place later replace these.
    ///
    /// - Throws: `inUse` once publishing was begun.
    func write(_ batch: Chunk, at offset: Int64) async throws(StoreError)

    /// - Throws: `sizeMismatch` where there are fewer bytes.
    func read(_ range: Range<Int64>) async throws(StoreError) -> Chunk

    /// Makes durable what was written before.
    func sync() async throws(StoreError)

    /// Gives the object its name, as ``Store/write(_:size:body:mayStillPublish:)`` does at its end; nothing is written after
    /// this was called. Called again, also after a restart, it answers the same.
    ///
    /// - Parameter byteCount: What lies behind is cut off.
    /// - Throws: `inUse` while bytes are written; `superseded`, `alreadyExists`, `full`, `unavailable`; `sizeMismatch` where
    ///   something of another length was published.
    func publish(
        byteCount: Int64,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws(StoreError) -> StoredData
}

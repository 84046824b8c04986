public import WireJSON

/// A place that keeps bytes at locations. Safe for concurrent use, also by several processes.
///
/// An upload is ``intend(_:attempt:size:)``, ``write(_:size:body:mayStillPublish:)`` and, once the data's location is
/// recorded, ``confirm(_:)``; in every other case ``discard(_:)``. An attempt that was neither confirmed nor discarded, for
/// its process died, shows in ``leftovers()``.
public protocol Store: Sendable {
    /// The configured identifier, for logs, errors and location metadata.
    var identifier: String { get }
    /// What this store can do, known before anyone asks for it.
    var capabilities: StoreCapabilities { get }
    /// What an administrator may know of it.
    var details: StoreDetails { get }

    /// Whether a location is of the kind and the place that this store writes. Looks at the text alone.
    func recognizes(_ url: String) -> Bool

    /// What a location of this store tells besides its URL and its store, for other services that read the data on their
    /// own. Looks at the text alone.
    func metadata(of url: String) -> JSONObject

    /// Decides where an attempt will put its bytes; touches no data.
    ///
    /// - Parameter size: Length in bytes where known; it may decide where there is room.
    /// - Throws: `invalidLocation` for names no object can have, `full`, `addingDisabled`.
    func intend(_ object: String, attempt: String, size: Int64?) async throws(StoreError) -> IntendedLocation

    /// Stores `body` where this attempt intended; visible only when complete and durable, and never over something else.
    ///
    /// A throw or a cancellation leaves nothing behind, or what ``discard(_:)`` removes. Once the data is published a
    /// cancellation no longer counts. The length is not checked against `size`: ``DigestingUpload`` did that.
    ///
    /// - Parameters:
    ///   - size: Exact length in bytes, when the sender declared one.
    ///   - mayStillPublish: Whether the attempt's lease still holds, by a clock that never stands still or goes back.
    ///     Called once after the attempt left a trace that `discard` finds, and again right before publishing; may block.
    /// - Throws: ``StoreError`` (`alreadyExists`, `full`, `writeDenied`, `superseded`, `unavailable`, …), or what `body` throws.
    func write(
        _ location: IntendedLocation,
        size: Int64?,
        body: some ChunkSequence,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws -> StoredData

    /// Ends an attempt whose data stays, after its location was recorded for good. Idempotent.
    func confirm(_ location: IntendedLocation) async throws(StoreError)

    /// Ends an attempt whose data must go, in whatever state it is; once this returns the attempt can not publish any more.
    ///
    /// Idempotent, and safe late, twice, and from another process: it never touches another attempt's bytes, nor those of
    /// an attempt that was confirmed. It must not be asked of an attempt that is recorded as finished: that one is to be
    /// confirmed.
    ///
    /// - Throws: `timedOut` and `unavailable`, when it must be asked again.
    func discard(_ location: IntendedLocation) async throws(StoreError)

    /// The length of data that this store holds, or that a client says it holds, without moving it.
    ///
    /// - Throws: `notFound`, `invalidLocation`, `forbidden` where the operator's rules keep it from being asked for,
    ///   `unavailable`.
    func byteCount(at url: String) async throws(StoreError) -> Int64

    /// Opens before a response head is sent, so that missing or unreachable data can still become another status or the
    /// next location. The caller closes the blob.
    ///
    /// - Parameter range: The bytes wanted; all when `nil`.
    /// - Throws: `notFound`, `sizeMismatch` when there are fewer bytes than `range` wants, `invalidLocation`, `unavailable`.
    func open(_ url: String, range: Range<Int64>?) async throws(StoreError) -> any Blob

    /// Removes data.
    ///
    /// - Parameter identity: ``StoredData/identity`` as recorded: other bytes at that place are left alone, which is
    ///   `notFound`, for the data meant is gone. Whatever is there goes when `nil`.
    /// - Throws: `notFound`, `forbidden`, `inUse`, `timedOut`, `unavailable`, `invalidLocation`.
    func delete(_ url: String, identity: String?) async throws(StoreError)

    /// The attempts that were neither confirmed nor discarded, those under way included.
    ///
    /// Whoever clears up asks the registry about each: finished is to be confirmed, unknown or expired to be discarded.
    func leftovers() async throws(StoreError) -> [IntendedLocation]
}

extension Store {
    public func metadata(of url: String) -> JSONObject { [:] }

    public func byteCount(at url: String) async throws(StoreError) -> Int64 {
        let blob = try await open(url, range: nil)
        blob.close()
        return blob.totalByteCount
    }
}

/// What a store can do.
public struct StoreCapabilities: OptionSet, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let read = StoreCapabilities(rawValue: 1)
    /// Opens at an offset, and stops before the end.
    public static let readRanges = StoreCapabilities(rawValue: 2)
    public static let write = StoreCapabilities(rawValue: 4)
    public static let delete = StoreCapabilities(rawValue: 8)
    /// Its blobs are files of this machine: ``Blob/localFile``.
    public static let localFiles = StoreCapabilities(rawValue: 16)
    /// Clients may name data in it that this service did not write. Whatever URL it recognizes must then be safe to read
    /// for whoever names it; a store that holds other images' data cannot promise that by itself.
    public static let externalLocations = StoreCapabilities(rawValue: 32)
}

/// Why a store, or the way into it, refused.
public struct StoreError: Error, Sendable {
    public var code: Code
    /// May reach the caller: never names a path, a host or another image.
    public var message: String
    /// Reaches the log only.
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public enum Code: String, Sendable, CaseIterable {
        /// Something is there already; publishing never overwrites.
        case alreadyExists
        /// More or fewer bytes came than were declared or are recorded.
        case sizeMismatch
        /// The bytes are not those whose digest was declared.
        case digestMismatch
        /// More bytes came than one image may have.
        case tooLarge
        /// No room, or the file system takes no file of that size.
        case full
        /// The store's own permissions keep it from writing.
        case writeDenied
        /// The store takes no data at all.
        case addingDisabled
        case notFound
        case forbidden
        /// Somebody needs the data: clones, snapshots, watchers.
        case inUse
        /// The store does not answer.
        case unavailable
        /// It answered too late; what was asked may or may not have been done.
        case timedOut
        /// The store can not do this at all.
        case unsupported
        /// The attempt lost its right to publish: its lease has passed on, or its bytes were discarded meanwhile.
        case superseded
        /// The location is none of this store's.
        case invalidLocation
        /// Anything else; the cause tells.
        case failed
    }

    /// Whether the same call may do better later.
    public var isRetryable: Bool {
        switch code {
        case .unavailable, .timedOut, .inUse: true
        case .alreadyExists, .sizeMismatch, .digestMismatch, .tooLarge, .full, .writeDenied, .addingDisabled, .notFound,
            .forbidden, .unsupported, .superseded, .invalidLocation, .failed:
            false
        }
    }
}

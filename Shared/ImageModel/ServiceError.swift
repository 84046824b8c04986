/// A failure the service can explain, free of any transport.
public struct ServiceError: Error, Sendable {
    public var code: Code
    /// Reaches the caller: names the field or rule, never a path, a query or a host.
    public var message: String
    /// Reaches the log only.
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// What kind of failure it is. One file of the API maps these to statuses, with a `switch` and no `default`.
    public enum Code: String, Sendable, CaseIterable {
        /// The request is malformed or breaks a rule of its schema.
        case invalidRequest
        case unauthenticated
        case forbidden
        /// Also: exists, but the caller may not know.
        case notFound
        /// The state of the image does not allow it, or it exists already.
        case conflict
        /// It was there and went away while the request ran.
        case gone
        /// The image is not in the state that the client's `If-Match` or `If-None-Match` names.
        case preconditionFailed
        /// A quota, a size limit, or the storage is full.
        case limitExceeded
        case unsupportedMediaType
        /// The bytes of a request are not those whose checksum it told.
        case checksumMismatch
        case rangeNotSatisfiable
        /// A part of a request's head is too large.
        case headerTooLarge
        /// The URL is longer than anything here is called.
        case targetTooLong
        /// A service behind this one does not answer; the request may be repeated.
        case unavailable
        /// More work than one request may cause; repeating it does not help, asking for less does.
        case tooExpensive
        /// A bug, or a state that nobody foresaw.
        case internalError
    }
}

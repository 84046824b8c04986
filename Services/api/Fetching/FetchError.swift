/// Why data could not be fetched from where a URL points.
public struct FetchError: Error, Sendable {
    public var code: Code
    /// May reach the caller: never names a host, an address or a credential.
    public var message: String
    /// Reaches the log only.
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public enum Code: String, Sendable, CaseIterable {
        /// Not a URL that can be fetched at all.
        case malformed
        /// The operator's rules do not let it be fetched; nothing was sent.
        case refused
        /// The source says that there is nothing.
        case notFound
        /// The source answers something that is no data.
        case badAnswer
        /// The source has fewer bytes than were wanted.
        case tooShort
        /// The source does not answer, or not now.
        case unavailable
    }
}

/// A failure of the database or of a statement. For repositories to act on and for the log; never for callers.
public struct DatabaseError: Error, Sendable, CustomStringConvertible {
    public var code: Code
    /// For the log: what the database said, and the statement's text, which has placeholders in the place of values.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public enum Code: Sendable, Equatable {
        /// Names what was to be unique, in the database's words: `table.column, table.column` for SQLite, the
        /// constraint for PostgreSQL.
        case uniqueViolation(String)
        case foreignKeyViolation
        /// Another process kept the database locked, or transactions collided, until the time was up.
        case busy
        /// Waited, or read, longer than allowed. A write that timed out was not applied.
        case timedOut
        /// A read took longer than it had allowed itself (``SQLConnection/limit(to:)``), and would again.
        case overLimit
        /// Too many jobs wait already.
        case overloaded
        /// The connection was lost while a transaction was being committed: it may be applied or not. Only a repetition
        /// under the same idempotency key finds out.
        case outcomeUnknown
        /// A text has the character U+0000, which PostgreSQL cannot keep.
        case unstorableText
        case readOnly
        /// No space is left.
        case full
        case corrupt
        /// The database cannot be reached or opened, or is closed.
        case unavailable
        /// A mistake in a statement, a violated check, or what nobody foresaw.
        case other
    }

    /// Whether the same work can succeed later without anything being repaired.
    public var isRetryable: Bool {
        switch code {
        case .busy, .timedOut, .overloaded, .unavailable, .outcomeUnknown: true
        case .uniqueViolation, .foreignKeyViolation, .overLimit, .unstorableText, .readOnly, .full, .corrupt, .other:
            false
        }
    }

    public var description: String { "database: \(code): \(message)" }
}

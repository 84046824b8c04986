/// Why Keystone did not tell what it was asked. For the log, so it never holds a token, a password or a body.
public enum KeystoneFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// No connection, or one that broke; says why.
    case unreachable(String)
    case timedOut
    /// An answer that means nothing here.
    case status(Int, doing: String)
    /// A document that is not what Keystone answers; says what is wrong with it.
    case malformed(String)
    /// The service's own credentials are not good, or are not good enough for what it asks.
    case serviceRefused
    /// Too many questions wait already.
    case busy
    /// Failed a moment ago, so it is left alone for another.
    case resting

    public var description: String {
        switch self {
        case .unreachable(let reason): "Keystone cannot be reached: \(reason)"
        case .timedOut: "Keystone does not answer in time"
        case .status(let status, let doing): "Keystone answers \(status) when asked to \(doing)"
        case .malformed(let reason): "Keystone's answer is not understood: \(reason)"
        case .serviceRefused: "Keystone refuses the service user's login or what it asks"
        case .busy: "too many questions wait for Keystone"
        case .resting: "Keystone failed a moment ago and is not asked again yet"
        }
    }
}

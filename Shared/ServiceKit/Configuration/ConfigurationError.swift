/// Why a program cannot start as configured: one sentence for the operator, with file, line and option where they are
/// known. It never holds the value of a secret option.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}

/// Where a value was set.
public enum ConfigurationOrigin: Sendable, Equatable, CustomStringConvertible {
    /// Lines count from 1.
    case file(String, line: Int)
    /// The name of an environment variable.
    case environment(String)

    public var description: String {
        switch self {
        case .file(let path, let line): "\(path):\(line)"
        case .environment(let variable): "environment \(variable)"
        }
    }
}

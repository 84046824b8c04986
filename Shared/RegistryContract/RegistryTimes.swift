/// How long a registry had a request, and how much of that its database took.
public struct RegistryTimes: Sendable, Equatable {
    /// From the request's head to its answer.
    public var total: Duration
    /// Waiting for a connection, and transactions with their statements.
    public var database: Duration

    /// - Parameter database: no more of it counts than `total`.
    public init(total: Duration, database: Duration) {
        self.total = max(.zero, total)
        self.database = min(max(.zero, database), self.total)
    }

    /// As the header ``RegistryProtocol/Header/times`` has it: both in microseconds, `812 640`.
    public var headerValue: String { "\(total.microseconds) \(database.microseconds)" }

    /// - Returns: `nil` for what ``headerValue`` cannot have been.
    public init?(headerValue: String) {
        let parts = headerValue.split(separator: " ", omittingEmptySubsequences: false).map { Int64($0) }
        guard parts.count == 2, let total = parts[0], let database = parts[1],
            (0...Self.longest).contains(total), (0...total).contains(database)
        else { return nil }
        self.init(total: .microseconds(total), database: .microseconds(database))
    }

    /// A day: no exchange is that long.
    private static let longest: Int64 = 86_400_000_000
}

extension Duration {
    fileprivate var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}

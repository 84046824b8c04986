/// How a PostgreSQL database is used.
public struct PostgreSQLSettings: Sendable {
    public var address: PostgreSQLAddress
    /// How many connections are kept: half of them, at least one, for writes, the others, at least one, for reads.
    public var connections = 5
    /// How many more may be opened while jobs wait for long; half of them for writes.
    public var overflow = 50
    /// A connection is replaced when it is this old; `nil` for never.
    public var lifetime: Duration? = .seconds(3_600)
    /// How often a transaction that collided or lost its connection is run again; `nil` for as long as it may wait.
    public var retries: Int? = 20
    public var limits = DatabaseLimits()
    public var onSlowQuery: SlowQueryReport?

    public init(_ address: PostgreSQLAddress) { self.address = address }

    /// How long a server may be out of reach before jobs are refused at once instead of waiting for it.
    var outagePatience: Duration { min(.seconds(5), limits.patience) }
    /// How often an idle connection is tried.
    var idleCheck: Duration { .seconds(30) }
    /// How long the first in line waits before another connection is opened.
    var crowdedAfter: Duration { .milliseconds(50) }

    var writers: Int { max(1, connections / 2) }
    var readers: Int { max(1, connections - writers) }

    /// What every session is told first.
    ///
    /// A commit that was answered for survives the server's death: a cluster's weaker setting is not taken. Compiling
    /// queries (`jit`) costs more than these take.
    var sessionSettings: String {
        let patience = max(1, limits.patience.milliseconds)
        return """
            SET statement_timeout = \(patience);
            SET lock_timeout = \(min(patience, 10_000));
            SET idle_in_transaction_session_timeout = \(patience * 2 + 60_000);
            SET bytea_output = 'hex';
            SET standard_conforming_strings = on;
            SET jit = off;
            SELECT set_config('synchronous_commit', 'on', false)
                WHERE current_setting('synchronous_commit') IN ('off', 'local');
            """
    }
}

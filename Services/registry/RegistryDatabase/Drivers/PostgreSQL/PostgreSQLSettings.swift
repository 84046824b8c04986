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
    /// How long the server lets a write stand still between two statements before it ends the session.
    ///
    /// A registry that hangs in the middle of a write keeps its locks, and by what it has read (`SERIALIZABLE`) every other
    /// registry's writes from committing: it is given less time than those are run again for.
    public var pauseLimit = Duration.seconds(3)
    /// How long a server may be out of reach before jobs are refused at once instead of waiting for it.
    public var outagePatience = Duration.seconds(5)
    public var onSlowQuery: SlowQueryReport?
    public var onShortage: ShortageReport?

    public init(_ address: PostgreSQLAddress) { self.address = address }

    /// How often an idle connection is tried.
    var idleCheck = Duration.seconds(30)
    /// How long the first in line waits before another connection is opened.
    var crowdedAfter = Duration.milliseconds(50)

    var writers: Int { max(1, connections / 2) }
    var readers: Int { max(1, connections - writers) }

    /// The server's limits of a session that reads, or writes: somewhat below what glance-api waits for an answer, so that
    /// a transaction for somebody who has just begun to wait needs none of its own.
    func sessionTimeouts(mayWrite: Bool) -> PostgreSQLTimeouts {
        mayWrite
            ? PostgreSQLTimeouts(statement: min(limits.patience, .seconds(8)), lock: min(limits.patience, .seconds(3)))
            : PostgreSQLTimeouts(
                statement: min(limits.patience, .milliseconds(3_500)),
                lock: min(limits.patience, .milliseconds(1_500))
            )
    }

    /// No job pauses between the statements of a write; readers may, and hinder nobody.
    func pauseLimit(mayWrite: Bool) -> Duration {
        mayWrite ? pauseLimit : limits.patience * 2 + .seconds(60)
    }

    /// What every session is told first.
    ///
    /// A commit that was answered for survives the server's death: a cluster's weaker setting is not taken. Compiling
    /// queries (`jit`) costs more than these take, and so does starting processes for them, ten times what the server
    /// expects: that is for what reads a large table as a whole.
    func sessionSettings(mayWrite: Bool) -> String {
        let timeouts = sessionTimeouts(mayWrite: mayWrite)
        return """
            SET statement_timeout = \(timeouts.statement);
            SET lock_timeout = \(timeouts.lock);
            SET idle_in_transaction_session_timeout = \(pauseLimit(mayWrite: mayWrite).milliseconds);
            SET bytea_output = 'hex';
            SET standard_conforming_strings = on;
            SET jit = off;
            SET parallel_setup_cost = 10000;
            SELECT set_config('synchronous_commit', 'on', false)
                WHERE current_setting('synchronous_commit') IN ('off', 'local');
            """
    }
}

/// Told, on one of the database's threads and at most once a minute for those that read and those that write, that the
/// server refused a further connection while jobs go on with fewer.
public typealias ShortageReport = @Sendable (DatabaseError) -> Void

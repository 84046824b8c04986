internal import CPostgreSQL
internal import Glibc

/// One session with a server: sends messages and waits for their results, no longer than it is told.
///
/// Several messages travel together (libpq's pipeline mode), so that `BEGIN`, the preparation of a statement and its
/// execution cost one round trip. A session belongs to one thread.
final class PostgreSQLSession {
    enum Message {
        /// A statement without values that is not worth preparing: `BEGIN` and the like.
        case control(String)
        case prepare(PostgreSQLStatement)
        case execute(PostgreSQLStatement, [SQLValue])

        var sql: String {
            switch self {
            case .control(let sql): sql
            case .prepare(let statement), .execute(let statement, _): statement.sql
            }
        }
    }

    /// A server that let us in and then says nothing is given up.
    private static let setUpPatience = Duration.seconds(10)

    private let handle: OpaquePointer
    private let address: PostgreSQLAddress

    /// Connects, to the first host that will have us, and sets the session up. Blocks for `connect_timeout` a host.
    ///
    /// - Parameter settings: statements for the session.
    /// - Throws: ``DatabaseError`` with a sentence fit for an operator: `unavailable`, or `other` for a server that will
    ///   never do.
    init(_ address: PostgreSQLAddress, settings: String) throws(DatabaseError) {
        guard let handle = address.withParameters({ PQconnectdbParams($0, $1, 0) }) else {
            throw DatabaseError(.unavailable, "libpq has no memory for a connection.")
        }
        self.handle = handle
        self.address = address
        // Notices say what is no failure; libpq would write them to standard error.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        guard PQstatus(handle) == CONNECTION_OK else { throw refusal("cannot be reached") }
        guard PQserverVersion(handle) >= 120_000 else {
            throw DatabaseError(.other, "PostgreSQL 12 or later is needed; this server is older.")
        }
        let encoding = PQparameterStatus(handle, "server_encoding").map { String(cString: $0) }
        guard encoding == "UTF8" else {
            throw DatabaseError(.other, "The database's encoding is \(encoding ?? "unknown"); UTF8 is needed.")
        }
        do {
            try script(settings, mayWrite: true, until: .now + Self.setUpPatience)
        } catch {
            throw error.error
        }
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else { throw refusal("fails") }
    }

    deinit { PQfinish(handle) }

    private func refusal(_ what: String) -> DatabaseError {
        DatabaseError(.unavailable, "The PostgreSQL database \(what): \(address.redacted(errorText)).")
    }

    private var errorText: String {
        let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        return text.split(separator: "\n").map(\.trimmedBlanks).joined(separator: "; ")
    }

    /// Whether a transaction is open and healthy, and the connection too.
    var isInTransaction: Bool { PQtransactionStatus(handle) == PQTRANS_INTRANS }

    // MARK: Messages

    /// Sends messages together and takes their results, until the first that fails.
    ///
    /// - Parameters:
    ///   - end: when to give the session up; the server has time-outs of its own, which come first.
    ///   - mayWrite: whether the transaction may write, for what a refusal means.
    /// - Returns: a result for each message that succeeded, and the failure of the next one.
    /// - Throws: a failure to talk to the server at all; the session is of no use then.
    func exchange(_ messages: [Message], until end: MonotonicTime, mayWrite: Bool) throws(PostgreSQLFailure)
        -> (results: [PostgreSQLResult], failure: PostgreSQLFailure?)
    {
        for message in messages {
            guard send(message) == 1 else { throw lost() }
        }
        guard PQpipelineSync(handle) == 1 else { throw lost() }
        try flush(until: end)
        var results: [PostgreSQLResult] = []
        var failure: PostgreSQLFailure?
        for message in messages {
            guard let result = try nextResult(until: end) else { throw lost() }
            switch result.status {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK: results.append(result)
            case PGRES_PIPELINE_ABORTED: break
            case PGRES_EMPTY_QUERY:
                failure = failure ?? PostgreSQLFailure(DatabaseError(.other, "an empty statement"))
            default:
                // What ends the session arrives as an error of the running statement, without a state of its own.
                if PQstatus(handle) != CONNECTION_OK { throw lost() }
                failure = failure ?? PostgreSQLFailure(result, sql: message.sql, mayWrite: mayWrite)
            }
            guard try nextResult(until: end) == nil else { throw lost() }
        }
        guard let last = try nextResult(until: end), last.status == PGRES_PIPELINE_SYNC else { throw lost() }
        return (results, failure)
    }

    private func send(_ message: Message) -> Int32 {
        switch message {
        case .control(let sql):
            PQsendQueryParams(handle, sql, 0, nil, nil, nil, nil, 0)
        case .prepare(let statement):
            PQsendPrepare(handle, statement.name, statement.sql, 0, nil)
        case .execute(let statement, let values):
            PostgreSQLParameters(values).withPointers { values, lengths, formats, count in
                PQsendQueryPrepared(handle, statement.name, count, values, lengths, formats, 0)
            }
        }
    }

    /// Runs several statements without values, one after another.
    ///
    /// - Parameter end: when to give the session up. For ever is for a migration of a large table, which takes as long as
    ///   it takes; that its server is gone is noticed by TCP.
    func script(
        _ sql: String,
        mayWrite: Bool,
        until end: MonotonicTime = MonotonicTime(nanoseconds: .max)
    ) throws(PostgreSQLFailure) {
        let isPipelined = PQpipelineStatus(handle) != PQ_PIPELINE_OFF
        if isPipelined {
            guard PQexitPipelineMode(handle) == 1, PQsetnonblocking(handle, 0) == 0 else { throw lost() }
        }
        guard PQsendQuery(handle, sql) == 1 else { throw lost() }
        var failure: PostgreSQLFailure?
        while let result = try nextResult(until: end) {
            switch result.status {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            default: failure = failure ?? PostgreSQLFailure(result, sql: sql, mayWrite: mayWrite)
            }
        }
        guard PQstatus(handle) == CONNECTION_OK else { throw lost() }
        if isPipelined {
            guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else { throw lost() }
        }
        if let failure { throw failure }
    }

    // MARK: The socket

    private func lost() -> PostgreSQLFailure { .lost(address.redacted(errorText)) }

    private func flush(until end: MonotonicTime) throws(PostgreSQLFailure) {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                try wait(for: Int16(POLLIN | POLLOUT), until: end)
                // Taken in meanwhile, or both sides could wait for the other to read.
                guard PQconsumeInput(handle) == 1 else { throw lost() }
            default: throw lost()
            }
        }
    }

    /// `nil` between the results of one message and those of the next.
    private func nextResult(until end: MonotonicTime) throws(PostgreSQLFailure) -> PostgreSQLResult? {
        while PQisBusy(handle) == 1 {
            try wait(for: Int16(POLLIN), until: end)
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
        return PQgetResult(handle).map { PostgreSQLResult($0) }
    }

    private func wait(for events: Int16, until end: MonotonicTime) throws(PostgreSQLFailure) {
        let socket = PQsocket(handle)
        guard socket >= 0 else { throw lost() }
        while true {
            let left = end - MonotonicTime.now
            var descriptor = pollfd(fd: socket, events: events, revents: 0)
            // What is there already is taken: it may be this process that was late.
            let milliseconds = left > .zero ? Int32(min(left.components.seconds, 86_400) * 1_000 + 1_000) : 0
            let ready = poll(&descriptor, 1, milliseconds)
            if ready > 0 { return }
            if ready < 0, errno != EINTR { throw .lost(systemError(errno)) }
            guard left > .zero else { throw .lost("the server did not answer in time") }
        }
    }
}

extension Substring {
    fileprivate var trimmedBlanks: String {
        String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}

/// A database that many write in at once, so that work that takes long has to be done in pieces beside them.
public protocol OnlineDatabase: Database {
    /// Runs `body` with a session of its own, on a thread of its own, however long that takes. It is not run again: what it
    /// has committed when it fails stays.
    ///
    /// - Throws: what `body` throws, or ``DatabaseError`` when there is no session to be had.
    func session<T: Sendable>(_ body: @escaping @Sendable (any DatabaseSession) throws -> T) async throws -> T
}

/// A session for one transaction after another, on the thread that owns it; it must not be kept beyond its body.
public protocol DatabaseSession {
    /// Runs `body` as one transaction and commits. Each of its statements sees what was committed before it, and takes the
    /// time that it takes; a lock is waited for no longer than those may be kept who queue up behind.
    ///
    /// - Throws: what `body` throws, or ``DatabaseError``: `busy` when a lock was not to be had, or transactions collided,
    ///   and the same may succeed later.
    func transaction<T>(_ body: (any SQLConnection) throws -> T) throws -> T

    /// Runs one statement that may be part of no transaction, however long it takes and waits.
    ///
    /// - Throws: ``DatabaseError``.
    func alone(_ sql: String) throws

    /// Runs `body` while no other session has the same lock, however long that has to be waited for.
    ///
    /// - Throws: what `body` throws, or ``DatabaseError``.
    func exclusively<T>(_ lock: Int32, _ body: () throws -> T) throws -> T
}

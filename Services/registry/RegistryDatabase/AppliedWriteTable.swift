public import ImageModel
internal import RegistryContract

/// Writes that were applied, by idempotency key, with their answers: sent again, a write is answered and not repeated.
public struct AppliedWriteTable {
    let connection: any SQLConnection
    /// How long a key is remembered.
    public static let memory = Duration.seconds(86_400)

    public init(_ connection: any SQLConnection) { self.connection = connection }

    /// Takes a key for a write that this transaction is about to apply, unless that has been done.
    ///
    /// Whoever takes the same key at the same time waits until this transaction ends.
    ///
    /// - Parameter binding: What the key stands for: a digest of operation, caller and arguments.
    /// - Returns: the answer to the write if it was applied before; `nil` when it is now to be applied and its answer to
    ///   be recorded.
    /// - Throws: `keyReused` when the key was used for something else.
    public func claim(_ key: String, binding: String, at now: Timestamp) throws -> [UInt8]? {
        let claimed = try connection.execute(
            """
            INSERT INTO applied_writes (idempotency_key, binding, answer, created_at) VALUES (?, ?, '', ?)
            ON CONFLICT (idempotency_key) DO NOTHING
            """,
            [.text(key), .text(binding), .integer(now.microseconds)]
        )
        guard claimed == 0 else { return nil }
        let found = try connection.query(
            "SELECT binding, answer FROM applied_writes WHERE idempotency_key = ?",
            [.text(key)],
            { ($0.text(0), $0.text(1)) }
        )
        guard let (storedBinding, answer) = found.first else {
            throw DatabaseError(.busy, "an idempotency key was forgotten while it was asked for")
        }
        guard storedBinding == binding else {
            throw RegistryError(.keyReused, "The idempotency key was used for a different request")
        }
        return Array(answer.utf8)
    }

    /// Keeps the answer to the write whose key this transaction has claimed.
    public func record(_ answer: [UInt8], for key: String) throws {
        try connection.execute(
            "UPDATE applied_writes SET answer = ? WHERE idempotency_key = ?",
            [.text(String(decoding: answer, as: UTF8.self)), .text(key)]
        )
    }

    public func hasEntries(before moment: Timestamp) throws -> Bool {
        try !connection.query(
            "SELECT 1 FROM applied_writes WHERE created_at < ? LIMIT 1",
            [.integer(moment.microseconds)],
            { $0.integer(0) }
        ).isEmpty
    }

    /// - Returns: how many keys were forgotten, at most `limit`.
    public func forget(before moment: Timestamp, limit: Int64 = 1_000) throws -> Int {
        try connection.execute(
            """
            DELETE FROM applied_writes WHERE idempotency_key IN
                (SELECT idempotency_key FROM applied_writes WHERE created_at < ? ORDER BY created_at LIMIT ?)
            """,
            [.integer(moment.microseconds), .integer(limit)]
        )
    }
}

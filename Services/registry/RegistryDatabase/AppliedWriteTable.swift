public import ImageModel
internal import RegistryContract

/// Writes that were applied, by idempotency key, with their answers: sent again, a write is answered and not repeated.
public struct AppliedWriteTable {
    let connection: any SQLConnection
    /// How long a key is remembered.
    public static let memory = Duration.seconds(86_400)

    public init(_ connection: any SQLConnection) { self.connection = connection }

    /// The first answer to the write of this key; `nil` when it has not been applied.
    ///
    /// - Parameter binding: What the key stands for: a digest of operation, caller and arguments.
    /// - Throws: `keyReused` when the key was used for something else.
    public func answer(to key: String, binding: String) throws -> [UInt8]? {
        let found = try connection.query(
            "SELECT binding, answer FROM applied_writes WHERE idempotency_key = ?",
            [.text(key)],
            { ($0.text(0), $0.text(1)) }
        )
        guard let (storedBinding, answer) = found.first else { return nil }
        guard storedBinding == binding else {
            throw RegistryError(.keyReused, "The idempotency key was used for a different request")
        }
        return Array(answer.utf8)
    }

    public func record(_ answer: [UInt8], for key: String, binding: String, at now: Timestamp) throws {
        try connection.execute(
            "INSERT INTO applied_writes (idempotency_key, binding, answer, created_at) VALUES (?, ?, ?, ?)",
            [.text(key), .text(binding), .text(String(decoding: answer, as: UTF8.self)), .integer(now.microseconds)]
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

public import ImageModel
public import RegistryContract

/// Which copies of data were read and compared with their records, when, by whom, and what was found.
public struct VerificationTable {
    let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    /// Only data that has to be there is looked at, and not that of others: the web's.
    private static let isVerified = """
        l.state = 'live' AND NOT \(LocationTable.isOnTheWeb) AND i.deleted_at IS NULL
            AND i.status IN ('active', 'deactivated') AND i.size IS NOT NULL
        """
    private static let columns = """
        l.id, l.image_id, l.store, l.url, i.size, i.checksum, i.os_hash_algo, i.os_hash_value
        """

    private static func copy(from row: any SQLRow) throws -> StoredCopy {
        guard let image = ImageID(row.text(1)) else { throw DatabaseError(.corrupt, "a location names no image") }
        let store = row.text(2)
        return StoredCopy(
            id: row.integer(0),
            image: image,
            store: store.isEmpty ? nil : store,
            url: row.text(3),
            size: row.integer(4),
            checksum: row.optionalText(5),
            hashAlgorithm: row.optionalText(6),
            hashValue: row.optionalText(7)
        )
    }

    /// Takes the copy in a store that was verified the longest ago and that nobody is at.
    public func claim(_ claim: ClaimVerification, until: Timestamp, at now: Timestamp) throws -> StoredCopy? {
        var condition = SQLCondition("l.store = ? AND \(Self.isVerified)", [.text(claim.store)])
        if let image = claim.image {
            condition.add("l.image_id = ? AND l.id > ?", [.text(image.text), .integer(claim.after)])
        } else {
            condition.add(
                "l.verified_at <= ? AND l.verifying_until <= ?",
                [.integer(claim.before.microseconds), .integer(now.microseconds)]
            )
        }
        let copy = try connection.query(
            """
            SELECT \(Self.columns) FROM image_locations l JOIN images i ON i.id = l.image_id
            WHERE \(condition.sql) ORDER BY \(claim.image == nil ? "l.verified_at, l.id" : "l.id") LIMIT 1
            """,
            condition.values,
            Self.copy(from:)
        ).first
        guard let copy else { return nil }
        try connection.execute(
            "UPDATE image_locations SET verifier = ?, verifying_process = ?, verifying_until = ? WHERE id = ?",
            [
                .text(claim.holder.node), .text(claim.holder.process), .integer(until.microseconds), .integer(copy.id),
            ]
        )
        return copy
    }

    /// - Returns: whether the copy still is the holder's to verify.
    public func renew(_ renewal: RenewVerification, until: Timestamp) throws -> Bool {
        try connection.execute(
            """
            UPDATE image_locations SET verifying_until = ?
            WHERE id = ? AND verifier = ? AND verifying_process = ? AND state = 'live'
            """,
            [
                .integer(until.microseconds), .integer(renewal.id), .text(renewal.holder.node),
                .text(renewal.holder.process),
            ]
        ) == 1
    }

    /// - Parameter retryAt: When a copy that could not be read is anybody's again.
    /// - Returns: whether the copy still is an image's and the holder's: what is found of another tells nothing, and whoever
    ///   has taken it since knows better.
    public func record(_ record: RecordVerification, retryAt: Timestamp, at now: Timestamp) throws -> Bool {
        let change: (sql: String, values: [SQLValue]) =
            switch record.result {
            case .unread: ("verifying_until = ?", [.integer(retryAt.microseconds)])
            case .sound:
                (
                    "verifying_until = 0, verified_at = ?, damage = NULL, damage_found_at = NULL",
                    [.integer(now.microseconds)]
                )
            case .digest, .size, .missing:
                (
                    "verifying_until = 0, verified_at = ?, damage = ?, damage_found_at = COALESCE(damage_found_at, ?)",
                    [.integer(now.microseconds), .text(record.result.rawValue), .integer(now.microseconds)]
                )
            }
        return try connection.execute(
            """
            UPDATE image_locations SET verifier = NULL, verifying_process = NULL, \(change.sql)
            WHERE id = ? AND verifier = ? AND verifying_process = ? AND state = 'live' AND EXISTS (SELECT 1 FROM images i
                WHERE i.id = image_locations.image_id AND i.deleted_at IS NULL AND i.status IN ('active', 'deactivated'))
            """,
            change.values + [
                .integer(record.id), .text(record.holder.node), .text(record.holder.process),
            ]
        ) == 1
    }

    /// A page of what is marked.
    public func damage(_ list: ListDamage) throws -> DamagePage {
        let rows =
            "image_locations l JOIN images i ON i.id = l.image_id WHERE l.damage IS NOT NULL AND \(Self.isVerified)"
        let total = try connection.first("SELECT count(*) FROM \(rows)", []) { $0.integer(0) }
        let copies = try connection.query(
            "SELECT \(Self.columns), l.damage, l.damage_found_at FROM \(rows) AND l.id > ? ORDER BY l.id LIMIT ?",
            [.integer(list.after), .integer(list.limit)]
        ) { row in
            guard let damage = VerificationResult(rawValue: row.text(8)) else {
                throw DatabaseError(.corrupt, "a location is damaged in a way that is none of ours")
            }
            return DamagedCopy(
                copy: try Self.copy(from: row),
                damage: damage,
                foundAt: Timestamp(microseconds: row.integer(9))
            )
        }
        return DamagePage(copies: copies, total: total ?? 0)
    }
}

public import ImageModel
public import RegistryContract
internal import WireJSON

/// Where data is, is about to be, or has to go from. Every location is in one of four states, and a store holds nothing
/// that is in none: `intended` (an upload is under way), `live`, `staged` (waits on a node to be imported), `deleting`.
public struct LocationTable {
    let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    // MARK: Uploads

    /// - Parameter metadata: Where somebody else put the data; `nil` for data that the attempt writes.
    func intend(
        image: ImageID,
        url: String,
        store: String?,
        metadata: JSONObject? = nil,
        attempt: String,
        at now: Timestamp
    ) throws {
        let metadata = metadata ?? store.map { ["store": .string($0)] } ?? [:]
        try connection.execute(
            """
            INSERT INTO image_locations (image_id, url, metadata, store, state, attempt, unfinished, created_at)
            VALUES (?, ?, ?, ?, 'intended', ?, 1, ?)
            """,
            [
                .text(image.text), .text(url), .text(JSONValue.object(metadata).text), .text(store ?? ""),
                .text(attempt),
                .integer(now.microseconds),
            ]
        )
    }

    func makeLive(attempt: String, identity: String?) throws {
        try connection.execute(
            "UPDATE image_locations SET state = 'live', identity = ?, unfinished = 0 WHERE attempt = ? AND state = 'intended'",
            [SQLValue(identity), .text(attempt)]
        )
    }

    func makeStaged(attempt: String, identity: String?) throws {
        try connection.execute(
            "UPDATE image_locations SET state = 'staged', identity = ?, unfinished = 0 WHERE attempt = ? AND state = 'intended'",
            [SQLValue(identity), .text(attempt)]
        )
    }

    /// As ``makeLive(attempt:identity:)``, for data that somebody else put there: from now on no attempt's.
    ///
    /// - Parameter isOnTheWeb: Whether that is for data on the web alone.
    func makeLive(external attempt: String, ifOnTheWeb isOnTheWeb: Bool = false) throws {
        try connection.execute(
            """
            UPDATE image_locations SET state = 'live', attempt = '', unfinished = 0
            WHERE attempt = ? AND state = 'intended'\(isOnTheWeb ? " AND \(Self.isOnTheWeb)" : "")
            """,
            [.text(attempt)]
        )
    }

    /// Data on the web that is not what its client said stays named by the record, which is queued and serves no data.
    func keepRefused(attempt: String) throws {
        try makeLive(external: attempt, ifOnTheWeb: true)
    }

    /// What a queued image still names was refused: it is not to be served beside what comes now.
    func forgetRefused(ofImage id: ImageID) throws {
        try connection.execute(
            "DELETE FROM image_locations WHERE image_id = ? AND state = 'live' AND \(Self.isOnTheWeb)",
            [.text(id.text)]
        )
    }

    func isFinished(attempt: String) throws -> Bool {
        try !connection.query(
            "SELECT 1 FROM image_locations WHERE attempt = ? AND state IN ('live', 'staged')",
            [.text(attempt)],
            { $0.integer(0) }
        ).isEmpty
    }

    /// An attempt that came to nothing: its location goes, or waits for its bytes to go where it may have written any.
    func drop(attempt: String, isDiscarded: Bool) throws {
        let isDone = isDiscarded ? "" : " AND \(Self.isOnTheWeb)"
        try connection.execute(
            "DELETE FROM image_locations WHERE attempt = ? AND state = 'intended'\(isDone)",
            [.text(attempt)]
        )
        guard !isDiscarded else { return }
        try connection.execute(
            "UPDATE image_locations SET state = 'deleting' WHERE attempt = ? AND state = 'intended'",
            [.text(attempt)]
        )
    }

    // MARK: Deletions

    static let deletionColumns = "id, image_id, store, url, attempt, identity, unfinished"

    static func deletion(from row: any SQLRow) throws -> PendingDeletion {
        guard let image = ImageID(row.text(1)) else { throw DatabaseError(.corrupt, "a location names no image") }
        let store = row.text(2)
        return PendingDeletion(
            id: row.integer(0),
            image: image,
            store: store.isEmpty ? nil : store,
            url: row.text(3),
            attempt: row.text(4),
            identity: row.optionalText(5),
            isUnfinished: row.bool(6)
        )
    }

    /// Whether a queued deletion is of data that a deleted image can be given back with: not so what it had let go of
    /// before, bytes of an attempt that came to nothing, and what was staged (the internal stores' names begin with
    /// `os_glance_`): nobody can read that, and whoever was about to import it has been told of the deletion.
    static let isOfImage = """
        (state = 'deleting' AND dropped = 0 AND unfinished = 0 AND substr(store, 1, 10) <> 'os_glance_')
        """

    /// Tells what an image that is about to be deleted has let go of already from what it lets go of now.
    func markDropped(ofImage id: ImageID) throws {
        try connection.execute(
            "UPDATE image_locations SET dropped = CASE WHEN state = 'deleting' THEN 1 ELSE 0 END WHERE image_id = ?",
            [.text(id.text)]
        )
    }

    /// What is on the web stays with the record, and is forgotten or given back with it. What was queued before stays
    /// queued as it is.
    ///
    /// - Returns: what was queued now.
    func queueDeletion(ofImage id: ImageID, claimedBy holder: Holder, until: Timestamp) throws -> [PendingDeletion] {
        try forgetShared(ofImage: id)
        try markDropped(ofImage: id)
        try connection.execute(
            """
            UPDATE image_locations SET state = 'deleting', claimed_by = ?, claiming_process = ?, claimed_until = ?
            WHERE image_id = ? AND state <> 'deleting' AND NOT \(Self.isOnTheWeb)
            """,
            [.text(holder.node), .text(holder.process), .integer(until.microseconds), .text(id.text)]
        )
        return try connection.query(
            """
            SELECT \(Self.deletionColumns) FROM image_locations
            WHERE image_id = ? AND state = 'deleting' AND dropped = 0 ORDER BY id
            """,
            [.text(id.text)],
            Self.deletion(from:)
        )
    }

    /// Gives an undeleted image the locations back that it let go of when it was deleted.
    func revive(ofImage id: ImageID) throws {
        try connection.execute(
            """
            UPDATE image_locations SET state = 'live', claimed_by = NULL, claimed_until = 0, failures = 0, scrub_at = NULL
            WHERE image_id = ? AND \(Self.isOfImage)
            """,
            [.text(id.text)]
        )
    }

    /// Deletions that must be carried out before `url` can be written again; they are claimed by whoever asks.
    ///
    /// - Parameter store: The store that the URL belongs to, where it may mean another place in another store.
    func deletions(
        at url: String,
        in store: String? = nil,
        claimFor holder: Holder,
        until: Timestamp
    ) throws -> [PendingDeletion] {
        var place = SQLCondition("url = ? AND state = 'deleting'", [.text(url)])
        if let store { place.add("store = ?", .text(store)) }
        try connection.execute(
            """
            UPDATE image_locations SET claimed_by = ?, claiming_process = ?, claimed_until = ?, scrub_at = NULL
            WHERE \(place.sql)
            """,
            [.text(holder.node), .text(holder.process), .integer(until.microseconds)] + place.values
        )
        return try connection.query(
            "SELECT \(Self.deletionColumns) FROM image_locations WHERE \(place.sql) ORDER BY id",
            place.values,
            Self.deletion(from:)
        )
    }

    /// Takes deletions of these stores that nobody is at.
    public func claimDeletions(
        _ claim: DeletionClaim,
        until: Timestamp,
        at now: Timestamp
    ) throws -> [PendingDeletion] {
        guard !claim.stores.isEmpty else { return [] }
        let places = repeatElement("?", count: claim.stores.count).joined(separator: ", ")
        let found = try connection.query(
            """
            SELECT \(Self.deletionColumns) FROM image_locations
            WHERE state = 'deleting' AND store IN (\(places)) AND claimed_until <= ?
            ORDER BY claimed_until, id LIMIT ?
            """,
            claim.stores.map(SQLValue.text) + [.integer(now.microseconds), .integer(claim.limit)],
            Self.deletion(from:)
        )
        var claimed: [PendingDeletion] = []
        for deletion in found {
            // Compare-and-set: another node may be claiming the same rows.
            let won = try connection.execute(
                """
                UPDATE image_locations SET claimed_by = ?, claiming_process = ?, claimed_until = ?
                WHERE id = ? AND state = 'deleting' AND claimed_until <= ?
                """,
                [
                    .text(claim.holder.node), .text(claim.holder.process), .integer(until.microseconds),
                    .integer(deletion.id), .integer(now.microseconds),
                ]
            )
            if won == 1 { claimed.append(deletion) }
        }
        return claimed
    }

    public func finishDeletions(_ ids: [Int64]) throws {
        for id in ids {
            let found = try connection.first(
                """
                SELECT \(Self.deletionColumns), CASE WHEN \(Self.isOfImage) THEN 1 ELSE 0 END
                FROM image_locations WHERE id = ? AND state = 'deleting'
                """,
                [.integer(id)]
            ) { row in (image: try Self.deletion(from: row).image, isOfImage: row.bool(7)) }
            guard let found else { continue }
            try connection.execute("DELETE FROM image_locations WHERE id = ?", [.integer(id)])
            let images = ImageTable(connection)
            if found.isOfImage { try images.giveUp(found.image) }
            try images.forgetUnlessQueued(found.image)
        }
    }

    /// Pauses grow from 15 seconds to an hour. What waits for a scrubber by now is left to it.
    public func postponeDeletions(_ ids: [Int64], at now: Timestamp) throws {
        for id in ids {
            let failures = try connection.query(
                "SELECT failures FROM image_locations WHERE id = ? AND state = 'deleting' AND scrub_at IS NULL",
                [.integer(id)],
                { $0.integer(0) }
            )
            guard let failures = failures.first else { continue }
            let pause = Duration.seconds(min(3600, 15 << min(failures, 8)))
            try connection.execute(
                "UPDATE image_locations SET failures = failures + 1, claimed_by = NULL, claimed_until = ? WHERE id = ?",
                [.integer(now.advanced(by: pause).microseconds), .integer(id)]
            )
        }
    }

    /// Gives locations back to images that are there. Where the image has data again at the same place, or somebody else
    /// names it, the deletion stays queued.
    public func withdrawDeletions(_ ids: [Int64], at now: Timestamp) throws {
        for id in ids {
            let images = try connection.query(
                """
                SELECT image_id FROM image_locations l WHERE l.id = ? AND l.state = 'deleting' AND l.unfinished = 0
                    AND EXISTS (SELECT 1 FROM images i WHERE i.id = l.image_id AND i.deleted_at IS NULL
                        AND i.status IN ('active', 'deactivated'))
                    AND NOT EXISTS (SELECT 1 FROM image_locations other
                        WHERE other.url = l.url AND other.id <> l.id AND other.state <> 'deleting')
                """,
                [.integer(id)],
                { $0.text(0) }
            )
            guard let image = images.first else { continue }
            try connection.execute(
                """
                UPDATE image_locations SET state = 'live', claimed_by = NULL, claimed_until = 0, failures = 0, dropped = 0
                WHERE id = ?
                """,
                [.integer(id)]
            )
            try connection.execute(
                "UPDATE images SET updated_at = ?, revision = revision + 1 WHERE id = ?",
                [.integer(now.microseconds), .text(image)]
            )
        }
    }

    /// What is known of attempts: finished, or pending (intended, or queued for deletion).
    public func states(of attempts: [String]) throws -> AttemptStates {
        var states = AttemptStates(finished: [], pending: [])
        for attempt in attempts {
            let found = try connection.query(
                "SELECT state FROM image_locations WHERE attempt = ?",
                [.text(attempt)],
                { $0.text(0) }
            )
            switch found.first {
            case "live", "staged": states.finished.append(attempt)
            case nil: break
            default: states.pending.append(attempt)
            }
        }
        return states
    }
}

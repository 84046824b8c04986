internal import ImageModel
internal import RegistryContract
internal import WireJSON

/// Locations that clients name. They belong to no attempt: their `attempt` is empty.
extension LocationTable {
    /// Whether web servers serve the data: no store of ours put it there or removes it, so that its locations are forgotten
    /// where others are queued for deletion, and keep nobody from naming the same data.
    static let isOnTheWeb =
        "(" + WebLocation.prefixes.map { "lower(substr(url, 1, \($0.count))) = '\($0)'" }.joined(separator: " OR ")
        + ")"

    private struct Row {
        var id: Int64
        var location: ImageLocation
    }

    /// Makes an image's live locations these, in this order. Rows are read in the order of their ids, so one that has to
    /// come after a new one is written again.
    ///
    /// - Returns: what has to go from the stores, claimed.
    func replace(
        ofImage id: ImageID,
        with wanted: [ImageLocation],
        holder: Holder,
        claimedUntil: Timestamp,
        at now: Timestamp
    ) throws -> [PendingDeletion] {
        var stored = try live(ofImage: id)
        var kept = wanted.map { location in Self.take(from: &stored) { $0 == location } }
        for (index, location) in wanted.enumerated() where kept[index] == nil {
            kept[index] = Self.take(from: &stored) { $0.url == location.url }
        }
        var last: Int64 = 0
        for (row, location) in zip(kept, wanted) {
            if let row, row.id > last {
                if row.location != location { try setMetadata(of: row.id, location) }
                last = row.id
            } else if let row {
                try append(row.id, location)
                last = .max
            } else {
                try requireFree(location.url, for: id)
                try insert(location, of: id, at: now)
                last = .max
            }
        }
        return try stored.compactMap { try drop($0, holder, claimedUntil) }
    }

    private static func take(from rows: inout [Row], where isWanted: (ImageLocation) -> Bool) -> Row? {
        rows.firstIndex { isWanted($0.location) }.map { rows.remove(at: $0) }
    }

    private func live(ofImage id: ImageID) throws -> [Row] {
        try connection.query(
            "SELECT id, url, metadata FROM image_locations WHERE image_id = ? AND state = 'live' ORDER BY id",
            [.text(id.text)]
        ) { row in
            let metadata = try JSONValue(parsing: row.text(2).utf8).objectValue ?? [:]
            return Row(id: row.integer(0), location: ImageLocation(url: row.text(1), metadata: metadata))
        }
    }

    private func setMetadata(of row: Int64, _ location: ImageLocation) throws {
        try connection.execute(
            "UPDATE image_locations SET metadata = ? WHERE id = ?",
            [.text(JSONValue.object(location.metadata).text), .integer(row)]
        )
    }

    /// Writes a row again behind all others, with everything that is known of its data.
    private func append(_ row: Int64, _ location: ImageLocation) throws {
        try connection.execute(
            """
            INSERT INTO image_locations (image_id, url, metadata, store, state, attempt, identity, unfinished, created_at,
                verified_at, damage, damage_found_at)
            SELECT image_id, url, ?, store, state, attempt, identity, unfinished, created_at, verified_at, damage,
                damage_found_at
            FROM image_locations WHERE id = ?
            """,
            [.text(JSONValue.object(location.metadata).text), .integer(row)]
        )
        try connection.execute("DELETE FROM image_locations WHERE id = ?", [.integer(row)])
    }

    private func insert(_ location: ImageLocation, of id: ImageID, at now: Timestamp) throws {
        try connection.execute(
            """
            INSERT INTO image_locations (image_id, url, metadata, store, state, attempt, unfinished, created_at)
            VALUES (?, ?, ?, ?, 'live', '', 0, ?)
            """,
            [
                .text(id.text), .text(location.url), .text(JSONValue.object(location.metadata).text),
                .text(location.store ?? ""), .integer(now.microseconds),
            ]
        )
    }

    /// Refuses a URL under which an upload put another image's data, and one whose data is about to go: neither happens to
    /// data on the web.
    func requireFree(_ url: String, for id: ImageID) throws {
        let found = try connection.query(
            """
            SELECT state FROM image_locations
            WHERE url = ? AND NOT \(Self.isOnTheWeb) AND (state = 'deleting' OR (attempt <> '' AND image_id <> ?))
            ORDER BY state LIMIT 1
            """,
            [.text(url), .text(id.text)],
            { $0.text(0) }
        )
        switch found.first {
        case nil: break
        case "deleting": throw RegistryError(.wrongState, "Data at this location is being deleted; try again later.")
        default: throw RegistryError(.invalid, "Invalid location", field: "locations")
        }
    }

    /// Takes a location from its image.
    ///
    /// - Returns: `nil` where the data stays, for it is on the web or somebody else names it.
    private func drop(_ row: Row, _ holder: Holder, _ claimedUntil: Timestamp) throws -> PendingDeletion? {
        let forgotten = try connection.execute(
            """
            DELETE FROM image_locations WHERE id = ? AND (\(Self.isOnTheWeb) OR EXISTS
                (SELECT 1 FROM image_locations other
                    WHERE other.url = image_locations.url AND other.id <> image_locations.id
                        AND other.state IN ('live', 'intended')))
            """,
            [.integer(row.id)]
        )
        if forgotten > 0 { return nil }
        try connection.execute(
            """
            UPDATE image_locations SET state = 'deleting', dropped = 1, claimed_by = ?, claiming_process = ?,
                claimed_until = ?
            WHERE id = ?
            """,
            [.text(holder.node), .text(holder.process), .integer(claimedUntil.microseconds), .integer(row.id)]
        )
        return try connection.query(
            "SELECT \(Self.deletionColumns) FROM image_locations WHERE id = ?",
            [.integer(row.id)],
            Self.deletion(from:)
        ).first
    }

    /// Forgets locations of an image that is about to be deleted where other images name the same data.
    func forgetShared(ofImage id: ImageID) throws {
        try connection.execute(
            """
            DELETE FROM image_locations WHERE image_id = ? AND state = 'live' AND NOT \(Self.isOnTheWeb) AND EXISTS
                (SELECT 1 FROM image_locations other WHERE other.url = image_locations.url
                    AND other.image_id <> image_locations.image_id AND other.state IN ('live', 'intended'))
            """,
            [.text(id.text)]
        )
    }
}

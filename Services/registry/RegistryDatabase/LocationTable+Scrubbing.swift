public import ImageModel
public import RegistryContract

/// Deletions that wait for a scrubber.
extension LocationTable {
    /// Queues an image's data, but for a scrubber alone, and not before a moment. What never was the image's data goes as
    /// soon as a store lets it.
    func scheduleDeletion(ofImage id: ImageID, at moment: Timestamp) throws {
        try markDropped(ofImage: id)
        try connection.execute(
            """
            UPDATE image_locations SET state = 'deleting', claimed_by = NULL, claiming_process = NULL, claimed_until = ?,
                scrub_at = ?
            WHERE image_id = ? AND state = 'live'
            """,
            [.integer(.max), .integer(moment.microseconds), .text(id.text)]
        )
        try connection.execute(
            "UPDATE image_locations SET state = 'deleting' WHERE image_id = ? AND state <> 'deleting'",
            [.text(id.text)]
        )
    }

    /// Takes deletions of these stores whose time has come, or that nobody is at, each as often as it is asked for: the
    /// pauses after failures are the API's, a scrubber has its own.
    public func claimScrubs(
        _ claim: DeletionClaim,
        after: Int64,
        until: Timestamp,
        at now: Timestamp
    ) throws -> ScrubBatch {
        guard !claim.stores.isEmpty else { return ScrubBatch(deletions: [], last: nil) }
        let places = repeatElement("?", count: claim.stores.count).joined(separator: ", ")
        let found = try connection.query(
            """
            SELECT \(Self.deletionColumns), CASE WHEN scrub_at IS NOT NULL AND (\(Self.needsNoStore)) THEN 1 ELSE 0 END
            FROM image_locations
            WHERE state = 'deleting' AND id > ? AND (store IN (\(places)) OR \(Self.isOnTheWeb)) AND \(Self.isDue)
            ORDER BY id LIMIT ?
            """,
            [.integer(now.microseconds), .integer(after)] + claim.stores.map(SQLValue.text)
                + [.integer(now.microseconds), .integer(now.microseconds), .integer(claim.limit)]
        ) { row in (deletion: try Self.deletion(from: row), needsNoStore: row.bool(7)) }
        var batch = ScrubBatch(deletions: [], last: found.last?.deletion.id)
        for (deletion, needsNoStore) in found {
            // Compare-and-set: another scrubber may be claiming the same rows.
            let won = try connection.execute(
                """
                UPDATE image_locations SET claimed_by = ?, claiming_process = ?, claimed_until = ?, scrub_at = NULL
                WHERE id = ? AND state = 'deleting' AND \(Self.isDue)
                """,
                [
                    .text(claim.holder.node), .text(claim.holder.process), .integer(until.microseconds),
                    .integer(deletion.id), .integer(now.microseconds), .integer(now.microseconds),
                ]
            )
            guard won == 1 else { continue }
            if needsNoStore {
                try finishDeletions([deletion.id])
            } else {
                batch.deletions.append(deletion)
            }
        }
        return batch
    }

    private static let isDue = """
        (scrub_at <= ? OR (scrub_at IS NULL AND (claimed_by IS NULL OR claimed_until <= ?)))
        """

    /// Data on the web is not ours to delete, and what others name is theirs, as long as they are there or can be restored.
    private static let needsNoStore = """
        \(isOnTheWeb) OR EXISTS (SELECT 1 FROM image_locations other
            WHERE other.url = image_locations.url AND other.id <> image_locations.id
                AND (other.state IN ('live', 'intended') OR other.scrub_at > ?))
        """
}

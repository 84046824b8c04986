public import ImageModel

/// Removes what deletions have left behind for good.
///
/// What hangs on an image goes when its data is gone, moments after the deletion. Left are the records themselves, which
/// keep their ids from being given again, and the rows of images whose data could not be deleted so far. An image whose
/// data waits for a scrubber can still be restored, and is left alone.
public struct PurgeTable {
    let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    /// The tables of what hangs on an image, each with its key.
    public static let children = [
        (table: "image_properties", key: "image_id, name"), (table: "image_tags", key: "image_id, value"),
        (table: "image_members", key: "image_id, member"),
    ]

    /// Removes rows that hang on images deleted before a moment, the oldest deletions first. Such an image cannot be given
    /// back any more.
    ///
    /// - Parameters:
    ///   - child: one of ``children``.
    ///   - limit: the most rows; `nil` for all.
    /// - Returns: how many rows went.
    public func purge(
        _ child: (table: String, key: String),
        ofImagesDeletedBefore moment: Timestamp,
        limit: Int64?
    ) throws -> Int {
        try connection.execute(
            """
            UPDATE images SET status_before_deletion = NULL
            WHERE deleted_at < ? AND status_before_deletion IS NOT NULL AND status <> 'pending_delete'
            """,
            [.integer(moment.microseconds)]
        )
        let key = child.key.split(separator: ", ").map { "c.\($0)" }.joined(separator: ", ")
        return try connection.execute(
            """
            DELETE FROM \(child.table) WHERE (\(child.key)) IN
                (SELECT \(key) FROM \(child.table) c JOIN images i ON i.id = c.image_id
                WHERE i.deleted_at < ? AND i.status <> 'pending_delete' ORDER BY i.deleted_at LIMIT ?)
            """,
            [.integer(moment.microseconds), .integer(limit ?? .max)]
        )
    }

    /// Removes the records of images deleted before a moment, the oldest deletions first. From then on their ids may be
    /// given again.
    ///
    /// - Parameter limit: the most records; `nil` for all.
    /// - Returns: how many records went.
    /// - Throws: ``DatabaseError`` (`foreignKeyViolation`) when something still hangs on one of them, such as data that
    ///   waits for its deletion.
    public func purgeImages(deletedBefore moment: Timestamp, limit: Int64?) throws -> Int {
        try connection.execute(
            """
            DELETE FROM images WHERE id IN
                (SELECT id FROM images WHERE deleted_at < ? AND status <> 'pending_delete'
                    ORDER BY deleted_at, id LIMIT ?)
            """,
            [.integer(moment.microseconds), .integer(limit ?? .max)]
        )
    }
}

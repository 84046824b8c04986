public import ImageModel

/// Purges however many rows there are, in portions that are transactions of their own: one statement for all would take
/// longer than a statement may, and keep others waiting. What a portion has removed stays removed when a later one fails.
public struct Purge: Sendable {
    private let database: any Database
    private let portion: Int64

    /// - Parameter portion: the most rows of one transaction.
    public init(_ database: any Database, portion: Int64 = 1_000) {
        self.database = database
        self.portion = portion
    }

    /// As ``PurgeTable/purge(_:ofImagesDeletedBefore:limit:)``.
    public func rows(
        of child: (table: String, key: String),
        ofImagesDeletedBefore moment: Timestamp,
        limit: Int64?
    ) async throws -> Int {
        try await inPortions(limit) { connection, limit in
            try PurgeTable(connection).purge(child, ofImagesDeletedBefore: moment, limit: limit)
        }
    }

    /// As ``PurgeTable/purgeImages(deletedBefore:limit:)``.
    public func images(deletedBefore moment: Timestamp, limit: Int64?) async throws -> Int {
        try await inPortions(limit) { connection, limit in
            try PurgeTable(connection).purgeImages(deletedBefore: moment, limit: limit)
        }
    }

    private func inPortions(
        _ limit: Int64?,
        _ purge: @escaping @Sendable (any SQLConnection, Int64) throws -> Int
    ) async throws -> Int {
        var removed = 0
        while true {
            let size = min(portion, limit.map { $0 - Int64(removed) } ?? portion)
            guard size > 0 else { return removed }
            let count = try await database.write { try purge($0, size) }
            removed += count
            if count < size { return removed }
        }
    }
}

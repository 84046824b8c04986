/// What the records say of data, a page at a time, for a program that compares them with the stores. Changes nothing.
public struct LocationAudit {
    let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    /// A location, and what its image has to say of it.
    public struct Entry: Sendable {
        public var id: Int64
        public var image: String
        public var url: String
        public var store: String
        /// Of the image: its length in bytes.
        public var size: Int64?
        /// Whether data has to be there: not so while an upload is under way or a deletion is queued.
        public var isExpected: Bool
    }

    /// Locations in the order of their numbers, behind one of them.
    public func entries(after id: Int64, limit: Int64) throws -> [Entry] {
        try connection.query(
            """
            SELECT l.id, l.image_id, l.url, l.store, i.size,
                CASE WHEN l.state IN ('live', 'staged') AND i.deleted_at IS NULL THEN 1 ELSE 0 END
            FROM image_locations l JOIN images i ON i.id = l.image_id
            WHERE l.id > ? ORDER BY l.id LIMIT ?
            """,
            [.integer(id), .integer(limit)]
        ) { row in
            Entry(
                id: row.integer(0),
                image: row.text(1),
                url: row.text(2),
                store: row.text(3),
                size: row.optionalInteger(4),
                isExpected: row.bool(5)
            )
        }
    }

    /// Whether a location is still one at which data has to be.
    public func isExpected(_ id: Int64) throws -> Bool {
        let sql = """
            SELECT 1 FROM image_locations l JOIN images i ON i.id = l.image_id
            WHERE l.id = ? AND l.state IN ('live', 'staged') AND i.deleted_at IS NULL
            """
        return try connection.first(sql, [.integer(id)]) { _ in true } ?? false
    }

    /// Which of these places any record accounts for, whatever the state.
    public func recorded(urls: [String]) throws -> Set<String> { try found(urls, of: "url") }

    /// Which of these attempts any record accounts for.
    public func recorded(attempts: [String]) throws -> Set<String> { try found(attempts, of: "attempt") }

    /// All places of one image, however they are written.
    public func urls(of image: String) throws -> [String] {
        try connection.query("SELECT url FROM image_locations WHERE image_id = ?", [.text(image)]) { $0.text(0) }
    }

    /// Images in the order of their ids, behind one of them.
    ///
    /// - Returns: the id of each, and whether it has to have a place where it can be read from, and has none.
    public func images(after id: String, limit: Int64) throws -> [(id: String, lacksLocation: Bool)] {
        try connection.query(
            """
            SELECT i.id, CASE WHEN i.deleted_at IS NULL AND i.status IN ('active', 'deactivated') AND NOT EXISTS
                (SELECT 1 FROM image_locations l WHERE l.image_id = i.id AND l.state = 'live') THEN 1 ELSE 0 END
            FROM images i WHERE i.id > ? ORDER BY i.id LIMIT ?
            """,
            [.text(id), .integer(limit)]
        ) { ($0.text(0), $0.bool(1)) }
    }

    /// The most values that are looked up with one statement.
    private static let lookup = 100

    private func found(_ values: [String], of column: String) throws -> Set<String> {
        let marks = repeatElement("?", count: Self.lookup).joined(separator: ", ")
        var found: Set<String> = []
        for start in stride(from: 0, to: values.count, by: Self.lookup) {
            let part = values[start..<min(start + Self.lookup, values.count)]
            // One text for any number of values: the rest repeats the last.
            let filler = repeatElement(SQLValue.text(part.last ?? ""), count: Self.lookup - part.count)
            let rows = try connection.query(
                "SELECT DISTINCT \(column) FROM image_locations WHERE \(column) IN (\(marks))",
                part.map(SQLValue.text) + filler
            ) { $0.text(0) }
            found.formUnion(rows)
        }
        return found
    }
}

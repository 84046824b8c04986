public import WireJSON

/// A column by which a list is sorted. Nulls sort as the empty text, or as zero.
public struct ImageSort: Sendable, Equatable {
    /// The raw value is the field's name in the API.
    public enum Key: String, Sendable, CaseIterable {
        case name, status
        case containerFormat = "container_format"
        case diskFormat = "disk_format"
        case size, id
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    public enum Direction: String, Sendable, CaseIterable {
        case ascending = "asc"
        case descending = "desc"
    }

    public var key: Key
    public var direction: Direction

    public init(_ key: Key, _ direction: Direction) {
        self.key = key
        self.direction = direction
    }
}

extension ImageSort: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("key", key.rawValue)
            writer.field("direction", direction.rawValue)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        self.init(try members.word("key"), try members.word("direction"))
    }
}

extension ImageSort {
    /// Reads both ways to ask for an order, and completes it so that no two images are equal.
    ///
    /// - Parameters:
    ///   - sort: The value of `sort` (`key:dir,key`), if there was one.
    ///   - keys: The values of `sort_key`, in order.
    ///   - directions: The values of `sort_dir`, in order.
    /// - Returns: An order in which no column is named twice.
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    static func parse(sort: String?, keys: [String], directions: [String]) throws(ServiceError) -> [ImageSort] {
        var order: [ImageSort] = []
        /// A single direction also serves the columns that are appended.
        var appended = Direction.descending
        if let sort {
            guard keys.isEmpty, directions.isEmpty else {
                throw ServiceError(.invalidRequest, "Old and new sorting syntax cannot be combined")
            }
            for part in sort.parts(separatedBy: ",") {
                let (key, direction) = part.partitioned(at: ":") ?? (part, "")
                order.append(
                    ImageSort(
                        try self.key(key),
                        direction.isEmpty ? .descending : try self.direction(direction)
                    )
                )
            }
            if order.count == 1 { appended = order[0].direction }
        } else {
            let keys = keys.isEmpty ? [Key.createdAt.rawValue] : keys
            var parsed: [Direction] = []
            for word in directions { parsed.append(try direction(word)) }
            if directions.count == 1 { appended = parsed[0] }
            if directions.count < 2 { parsed = Array(repeating: appended, count: keys.count) }
            guard parsed.count == keys.count else {
                throw ServiceError(
                    .invalidRequest,
                    "Number of sort dirs does not match the number of sort keys"
                )
            }
            for (word, direction) in zip(keys, parsed) { order.append(ImageSort(try key(word), direction)) }
        }
        for key in [Key.createdAt, .id] { order.append(ImageSort(key, appended)) }
        // Only the first mention of a column can tell two images apart.
        var seen: Set<Key> = []
        return order.filter { seen.insert($0.key).inserted }
    }

    private static func key(_ word: String) throws(ServiceError) -> Key {
        guard let key = Key(rawValue: word.trimmed) else {
            let known = Key.allCases.map(\.rawValue).joined(separator: ", ")
            throw ServiceError(
                .invalidRequest,
                "Invalid sort key: \(word.trimmed.excerpt). It must be one of the following: \(known)."
            )
        }
        return key
    }

    private static func direction(_ word: String) throws(ServiceError) -> Direction {
        guard let direction = Direction(rawValue: word.trimmed) else {
            throw ServiceError(.invalidRequest, "Invalid sort direction: \(word.trimmed.excerpt)")
        }
        return direction
    }
}

public import ImageModel
public import RegistryContract
internal import WireJSON

/// What is done for images beside requests.
public struct TaskTable {
    let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    /// An image that the caller may see, with those of its tasks that the caller may see and that have not expired.
    public func list(of id: ImageID, visibleTo caller: Caller, at now: Timestamp) throws -> ImageTasks {
        let image = try ImageTable(connection).image(id, visibleTo: caller)
        var condition = SQLCondition(
            "image_id = ? AND (expires_at IS NULL OR expires_at > ?)",
            [.text(id.text), .integer(now.microseconds)]
        )
        if !caller.isAdmin {
            if let project = caller.project {
                condition.add("(owner = ? OR owner IS NULL)", .text(project))
            } else {
                condition.add("owner IS NULL")
            }
        }
        let tasks = try connection.query(
            """
            SELECT id, type, status, owner, image_id, request_id, user_id, expires_at, created_at, updated_at, input,
                result, message
            FROM tasks WHERE \(condition.sql) ORDER BY created_at DESC, id DESC
            """,
            condition.values,
            Self.task(from:)
        )
        return ImageTasks(image: image, tasks: tasks)
    }

    private static func task(from row: any SQLRow) throws -> ImageTask {
        guard let kind = ImageTask.Kind(rawValue: row.text(1)), let status = ImageTask.Status(rawValue: row.text(2)),
            let image = ImageID(row.text(4))
        else { throw DatabaseError(.corrupt, "a task row holds words that are none of ours") }
        return ImageTask(
            id: row.text(0),
            kind: kind,
            status: status,
            owner: row.optionalText(3),
            image: image,
            requestID: row.optionalText(5),
            user: row.optionalText(6),
            expiresAt: row.optionalInteger(7).map(Timestamp.init(microseconds:)),
            createdAt: Timestamp(microseconds: row.integer(8)),
            updatedAt: Timestamp(microseconds: row.integer(9)),
            input: try row.optionalText(10).map { try JSONValue(parsing: $0.utf8) } ?? .null,
            result: try row.optionalText(11).map { try JSONValue(parsing: $0.utf8) } ?? .null,
            message: row.text(12)
        )
    }
}

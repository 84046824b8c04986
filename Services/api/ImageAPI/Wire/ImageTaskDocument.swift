internal import ImageModel
internal import WireJSON

/// A task as its image's list shows it: with names and times as the reference's database has them, unlike the documents of
/// the tasks resource (Image API v2, "Image tasks").
enum ImageTaskDocument {
    private static func write(_ task: ImageTask, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", task.id)
            writer.field("type", task.kind.rawValue)
            writer.field("status", task.status.rawValue)
            writer.field("owner", task.owner)
            writer.field("expires_at", task.expiresAt.map(text(of:)))
            writer.field("created_at", text(of: task.createdAt))
            writer.field("updated_at", text(of: task.updatedAt))
            // A task that was deleted is gone.
            writer.field("deleted_at", JSONValue.null)
            writer.field("deleted", false)
            writer.field("image_id", task.image.text)
            writer.field("request_id", task.requestID)
            writer.field("user_id", task.user)
            writer.field("input", task.input)
            writer.field("result", task.result)
            writer.field("message", task.message)
        }
    }

    /// `YYYY-MM-DDThh:mm:ss.ffffff`, in UTC without saying so.
    private static func text(of time: Timestamp) -> String {
        let fraction = String(((time.microseconds % 1_000_000) + 1_000_000) % 1_000_000)
        return "\(time.text.dropLast()).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
    }

    static func bytes(list tasks: [ImageTask]) -> [UInt8] {
        var writer = JSONWriter(reserving: 64 + tasks.count * 512)
        writer.object { $0.field("tasks", array: tasks) { write($1, to: &$0) } }
        return writer.bytes
    }
}

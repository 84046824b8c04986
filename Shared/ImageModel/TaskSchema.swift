public import WireJSON

/// What a task looks like to clients (Image API v2, "Task schema").
public enum TaskSchema {
    private static func schema(properties: [JSONSchema.Property]) -> JSONSchema {
        JSONSchema(name: "task", properties: properties)
    }

    private static let properties: [JSONSchema.Property] = [
        JSONSchema.Property("id", JSONSchema(.string, description: "Task UUID", pattern: .uuid)),
        JSONSchema.Property(
            "type",
            JSONSchema(
                .string,
                description: "What the task does",
                choices: ImageTask.Kind.allCases.map { .string($0.rawValue) }
            )
        ),
        JSONSchema.Property(
            "status",
            JSONSchema(
                .string,
                description: "Life-cycle state",
                choices: ImageTask.Status.allCases.map { .string($0.rawValue) }
            )
        ),
        JSONSchema.Property("input", JSONSchema(.null, .object, description: "What the task was asked to do")),
        JSONSchema.Property("result", JSONSchema(.null, .object, description: "What came of it, when it succeeded")),
        JSONSchema.Property("owner", JSONSchema(.string, description: "Owning project id")),
        JSONSchema.Property(
            "message",
            JSONSchema(.string, description: "What the task has to say, mostly of a failure")
        ),
        JSONSchema.Property("image_id", JSONSchema(.string, description: "Image UUID")),
        JSONSchema.Property("request_id", JSONSchema(.string, description: "Request that started the task")),
        JSONSchema.Property("user_id", JSONSchema(.string, description: "User who started the task")),
        JSONSchema.Property("expires_at", JSONSchema(.null, .string, description: "When the task is forgotten")),
        JSONSchema.Property("created_at", JSONSchema(.string, description: "Creation time")),
        JSONSchema.Property("updated_at", JSONSchema(.string, description: "Last change time")),
        JSONSchema.Property("self", JSONSchema(.string, isReadOnly: true)),
        JSONSchema.Property("schema", JSONSchema(.string, isReadOnly: true)),
    ]

    /// A list leaves these out.
    private static let shownAlone: Set<String> = ["input", "result", "message"]

    public static let document: JSONValue = schema(properties: properties).document

    public static let collectionDocument: JSONValue = {
        let row = schema(properties: properties.filter { !shownAlone.contains($0.name) })
        return JSONSchema(
            name: "tasks",
            properties: [
                JSONSchema.Property("tasks", JSONSchema(.array, items: .matching(row))),
                JSONSchema.Property("schema", JSONSchema(.string)),
            ],
            links: [JSONSchema.Link("describedby", "{schema}")]
        ).document
    }()
}

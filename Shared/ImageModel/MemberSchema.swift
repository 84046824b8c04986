public import WireJSON

/// What a membership looks like to clients (Image API v2, "Image member schema").
public enum MemberSchema {
    private static let schema = JSONSchema(
        name: "member",
        properties: [
            JSONSchema.Property("member_id", JSONSchema(.string, description: "Project id of the member")),
            JSONSchema.Property("image_id", JSONSchema(.string, description: "Image UUID", pattern: .uuid)),
            JSONSchema.Property("created_at", JSONSchema(.string, description: "Creation time")),
            JSONSchema.Property("updated_at", JSONSchema(.string, description: "Last change time")),
            JSONSchema.Property(
                "status",
                JSONSchema(.string, description: "Life-cycle state", choices: ["pending", "accepted", "rejected"])
            ),
            JSONSchema.Property("schema", JSONSchema(.string, isReadOnly: true)),
        ]
    )

    public static let document: JSONValue = schema.document

    public static let collectionDocument: JSONValue =
        JSONSchema(
            name: "members",
            properties: [
                JSONSchema.Property("members", JSONSchema(.array, items: .matching(schema))),
                JSONSchema.Property("schema", JSONSchema(.string)),
            ],
            links: [JSONSchema.Link("describedby", "{schema}")]
        ).document
}

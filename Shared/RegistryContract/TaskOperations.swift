public import ImageModel
public import WireJSON

/// `images.tasks`: an image that the caller may see by its id, and of its tasks those that the caller may see: all of them
/// for administrators, for others those of their own project and those of nobody. Expired ones are not among them.
public struct ListImageTasks: ImagePartsOperation {
    public typealias Response = ImageTasks
    public static let name = "images.tasks"
    public static let effect = RegistryEffect.reads

    public var image: ImageID

    public init(image: ImageID) { self.image = image }
}

/// An image, and tasks of it, the newest first.
public struct ImageTasks: WireCodable, Equatable {
    public var image: Image
    public var tasks: [ImageTask]

    public init(image: Image, tasks: [ImageTask]) {
        self.image = image
        self.tasks = tasks
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("image")
            image.write(to: &writer)
            writer.field("tasks", array: tasks) { $1.write(to: &$0) }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        image = try members.value("image")
        tasks = try members.values("tasks")
    }
}

extension ImageTask: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", id)
            writer.field("type", kind.rawValue)
            writer.field("status", status.rawValue)
            writer.field("owner", owner)
            writer.field("image", image.text)
            writer.field("request_id", requestID)
            writer.field("user", user)
            writer.field("expires_at", expiresAt?.microseconds)
            writer.field("created_at", createdAt.microseconds)
            writer.field("updated_at", updatedAt.microseconds)
            writer.field("input", input)
            writer.field("result", result)
            writer.field("message", message)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        self.init(
            id: try members.string("id"),
            kind: try members.word("type"),
            status: try members.word("status"),
            owner: try members.optionalString("owner"),
            image: try members.imageID("image"),
            requestID: try members.optionalString("request_id"),
            user: try members.optionalString("user"),
            expiresAt: try members.optionalInteger("expires_at").map(Timestamp.init(microseconds:)),
            createdAt: Timestamp(microseconds: try members.integer("created_at")),
            updatedAt: Timestamp(microseconds: try members.integer("updated_at")),
            input: members.object["input"] ?? .null,
            result: members.object["result"] ?? .null,
            message: try members.string("message")
        )
    }
}

public import ImageModel
public import WireJSON

/// One thing the API may ask of the registry: its arguments, and by its type the answer.
///
/// One operation is one exchange and one transaction. Adding one is a type here and a handler in `ImageRegistry`; the
/// client and the router need no change.
public protocol RegistryOperation: WireCodable {
    associatedtype Response: WireCodable
    /// The last segment of the path `/v1/<name>`, such as `images.show`.
    static var name: String { get }
    /// What sending it twice would do, and so how it may be repeated.
    static var effect: RegistryEffect { get }
}

/// What an operation does to the database.
public enum RegistryEffect: Sendable {
    /// Nothing.
    case reads
    /// It writes, and doing it again changes nothing more.
    case repeatable
    /// It writes, and carries an idempotency key: sent twice it is applied once and answers the same.
    case once
}

/// An operation that has nothing to answer.
public struct Done: WireCodable, Equatable {
    public init() {}
    public func write(to writer: inout JSONWriter) { writer.object { _ in } }
    public init(json: JSONValue) throws(JSONShapeError) { _ = try JSONMembers(json) }
}

/// What travels with every operation: who asks, in which request, and under which key a write is remembered.
public struct RegistryEnvelope<Operation: RegistryOperation>: WireCodable {
    public var caller: Caller
    /// The public request's id, for the registry's log.
    public var requestID: String
    /// The same for every attempt at one write; `nil` for reads.
    public var idempotencyKey: String?
    public var arguments: Operation

    public init(caller: Caller, requestID: String, idempotencyKey: String?, arguments: Operation) {
        self.caller = caller
        self.requestID = requestID
        self.idempotencyKey = idempotencyKey
        self.arguments = arguments
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("caller")
            caller.write(to: &writer)
            writer.field("request_id", requestID)
            if let idempotencyKey { writer.field("key", idempotencyKey) }
            writer.name("arguments")
            arguments.write(to: &writer)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        caller = try members.value("caller")
        requestID = try members.string("request_id")
        idempotencyKey = try members.optionalString("key")
        arguments = try members.value("arguments")
    }
}

extension Caller: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            if let user { writer.field("user", user) }
            if let project { writer.field("project", project) }
            writer.field("roles", strings: roles.sorted())
            if !serviceRoles.isEmpty { writer.field("service_roles", strings: serviceRoles.sorted()) }
            writer.field("admin", isAdmin)
            if isReadOnly { writer.field("read_only", true) }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        self.init(
            user: try members.optionalString("user"),
            project: try members.optionalString("project"),
            roles: Set(try members.strings("roles")),
            serviceRoles: members.object["service_roles"] == nil ? [] : Set(try members.strings("service_roles")),
            isAdmin: try members.bool("admin"),
            isReadOnly: members.object["read_only"] == nil ? false : try members.bool("read_only")
        )
    }
}

/// The API process that holds a lease or a claim.
public struct Holder: WireCodable, Hashable {
    /// The same for every start of one API service: its host and where it listens.
    public var node: String
    /// Of this start alone.
    public var process: String

    public init(node: String, process: String) {
        self.node = node
        self.process = process
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("node", node)
            writer.field("process", process)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        node = try members.string("node")
        process = try members.string("process")
    }
}

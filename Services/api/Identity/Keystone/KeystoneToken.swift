internal import ImageModel
internal import WireJSON

/// What Keystone says of a token that is good.
struct KeystoneToken: Sendable, Equatable {
    var expiry: Timestamp
    /// Who its bearer is, with roles in lower case; `isAdmin` is not decided yet.
    private(set) var caller: Caller
    /// The same roles in the case in which Keystone has them.
    private(set) var roleNames: Set<String>
    /// What an application credential may do, where it is restricted; `nil` for everything.
    var accessRules: [AccessRule]?
    /// The types of service in its catalogue, where that was asked for.
    var serviceTypes: Set<String> = []

    /// `caller` comes with its roles in the case in which Keystone has them.
    init(expiry: Timestamp, caller: Caller, accessRules: [AccessRule]? = nil, serviceTypes: Set<String> = []) {
        self.expiry = expiry
        self.caller = caller
        roleNames = caller.roles
        self.caller.roles = Self.lowercased(caller.roles)
        self.accessRules = accessRules
        self.serviceTypes = serviceTypes
    }

    /// Reads the document of `GET /v3/auth/tokens` (Identity API v3).
    init(document bytes: some Collection<UInt8>) throws(KeystoneFailure) {
        do {
            try self.init(JSONMembers(JSONValue(parsing: bytes)).members("token"))
        } catch let error as JSONShapeError {
            throw .malformed("'\(error.member)' \(error.reason)")
        } catch {
            throw .malformed("it is not JSON")
        }
    }

    private init(_ token: JSONMembers) throws {
        let time = try token.string("expires_at")
        guard let expiry = Timestamp(iso8601: time) else {
            throw JSONShapeError(member: "expires_at", reason: "is no time")
        }
        self.expiry = expiry
        let user = try token.members("user")
        var caller = Caller(user: try user.string("id"))
        caller.token.userDomain = Self.domain(of: user)
        if token.holds("project") {
            let project = try token.members("project")
            caller.project = try project.string("id")
            caller.token.projectDomain = Self.domain(of: project)
        } else if token.holds("domain") {
            caller.token.scope = .domain(try token.members("domain").string("id"))
        } else if token.holds("system") {
            let parts = try token.members("system").object
            caller.token.scope = .system(parts.names.first { parts[$0] == true } ?? "")
        }
        if token.object["roles"] != nil {
            for role in try token.array("roles") {
                caller.roles.insert(try JSONMembers(role).string("name"))
            }
        }
        caller.token.isAdminProject = token.object["is_admin_project"]?.boolValue ?? true
        roleNames = caller.roles
        caller.roles = Self.lowercased(caller.roles)
        self.caller = caller
        if let credential = token.object["application_credential"]?.objectValue, let rules = credential["access_rules"]
        {
            accessRules = try rules.isNull ? nil : (rules.arrayValue ?? []).map { try AccessRule($0) }
        }
        for service in token.object["catalog"]?.arrayValue ?? [] {
            if let type = service.objectValue?["type"]?.stringValue { serviceTypes.insert(type) }
        }
    }

    private static func lowercased(_ roles: Set<String>) -> Set<String> { Set(roles.map { $0.lowercased() }) }

    private static func domain(of member: JSONMembers) -> String? {
        member.object["domain"]?.objectValue?["id"]?.stringValue
    }
}

extension JSONMembers {
    fileprivate func holds(_ name: String) -> Bool { object[name].map { !$0.isNull } ?? false }

    fileprivate func members(_ name: String) throws(JSONShapeError) -> JSONMembers {
        guard let value = object[name] else { throw JSONShapeError(member: name, reason: "is missing") }
        guard value.objectValue != nil else { throw JSONShapeError(member: name, reason: "is no object") }
        return try JSONMembers(value)
    }
}

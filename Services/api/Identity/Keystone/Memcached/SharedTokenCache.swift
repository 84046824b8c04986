internal import ImageModel
internal import WireJSON

/// What memcached keeps of tokens: what they say, never the tokens. Whatever goes wrong, an entry is not there.
struct SharedTokenCache: Sendable {
    private let memcached: Memcached
    private let protection: TokenProtection
    /// Far more than a token says; and less than memcached's own limit of a mebibyte.
    private static let entryLimit = 64 << 10

    init(_ memcached: Memcached, _ protection: TokenProtection) {
        self.memcached = memcached
        self.protection = protection
    }

    func token(for key: TokenKey) async -> (token: KeystoneToken, confirmed: Timestamp)? {
        let name = protection.name(of: key)
        guard let bytes = await memcached.get(name), let entry = protection.open(bytes, name: name),
            let json = try? JSONValue(parsing: entry), let found = try? TokenEntry(json: json)
        else { return nil }
        return (found.token, found.confirmed)
    }

    func keep(_ token: KeystoneToken, for key: TokenKey, confirmed: Timestamp, _ time: Duration) async {
        let name = protection.name(of: key)
        let bytes = protection.seal(TokenEntry(token: token, confirmed: confirmed).jsonBytes, name: name)
        guard bytes.count <= Self.entryLimit else { return }
        await memcached.set(name, bytes, seconds: Int(min(max(time.components.seconds, 1), 2_592_000)))
    }
}

/// One entry of the shared cache. Its version changes with its form, so that processes of two releases share a cache.
struct TokenEntry: WireCodable, Equatable {
    var token: KeystoneToken
    var confirmed: Timestamp
    private static let version: Int64 = 1

    init(token: KeystoneToken, confirmed: Timestamp) {
        self.token = token
        self.confirmed = confirmed
    }

    func write(to writer: inout JSONWriter) {
        let caller = token.caller
        writer.object { writer in
            writer.field("version", Self.version)
            writer.field("confirmed", confirmed.microseconds)
            writer.field("expiry", token.expiry.microseconds)
            writer.field("user", caller.user)
            writer.field("user_domain", caller.token.userDomain)
            writer.field("project", caller.project)
            writer.field("project_domain", caller.token.projectDomain)
            switch caller.token.scope {
            case .project: break
            case .domain(let id): writer.field("domain", id)
            case .system(let part): writer.field("system", part)
            }
            writer.field("admin_project", caller.token.isAdminProject)
            writer.field("roles", strings: token.roleNames.sorted())
            writer.field("service_types", strings: token.serviceTypes.sorted())
            if let rules = token.accessRules {
                writer.field("access_rules", array: rules) { writer, rule in
                    writer.object { writer in
                        writer.field("service", rule.service)
                        writer.field("method", rule.method)
                        writer.field("path", rule.path)
                    }
                }
            }
        }
    }

    init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        guard try members.integer("version") == Self.version else {
            throw JSONShapeError(member: "version", reason: "is another")
        }
        confirmed = Timestamp(microseconds: try members.integer("confirmed"))
        var caller = Caller(user: try members.string("user"), project: try members.optionalString("project"))
        caller.roles = Set(try members.strings("roles"))
        caller.token.userDomain = try members.optionalString("user_domain")
        caller.token.projectDomain = try members.optionalString("project_domain")
        caller.token.isAdminProject = try members.bool("admin_project")
        if let domain = try members.optionalString("domain") { caller.token.scope = .domain(domain) }
        if let system = try members.optionalString("system") { caller.token.scope = .system(system) }
        token = KeystoneToken(
            expiry: Timestamp(microseconds: try members.integer("expiry")),
            caller: caller,
            serviceTypes: Set(try members.strings("service_types"))
        )
        if members.object["access_rules"] != nil {
            var rules: [AccessRule] = []
            for rule in try members.array("access_rules") { rules.append(try AccessRule(rule)) }
            token.accessRules = rules
        }
    }
}

internal import WireJSON

/// By what the service logs in to Keystone for a token of its own.
public enum KeystoneCredential: Sendable {
    case password(user: Entity, password: String, scope: Scope)
    /// The user is needed where the credential is named and not known by its id.
    case application(credential: ApplicationCredential, secret: String)

    /// A thing that is known by its id, or by its name in a domain.
    public enum Entity: Sendable, Equatable {
        case id(String)
        case name(String, domain: Domain)
    }

    public enum Domain: Sendable, Equatable {
        case id(String)
        case name(String)
    }

    public enum ApplicationCredential: Sendable, Equatable {
        case id(String)
        case name(String, user: Entity)
    }

    public enum Scope: Sendable, Equatable {
        case project(Entity)
        case domain(Domain)
        case system(String)
        case trust(String)
        case none
    }

    /// The body of `POST /v3/auth/tokens` (Identity API v3).
    var request: [UInt8] {
        let (method, identity, scope): (String, JSONValue, Scope) =
            switch self {
            case .password(let user, let password, let scope):
                ("password", ["user": Self.entity(user, ["password": .string(password)])], scope)
            case .application(.id(let id), let secret):
                ("application_credential", ["id": .string(id), "secret": .string(secret)], .none)
            case .application(.name(let name, let user), let secret):
                (
                    "application_credential",
                    ["name": .string(name), "secret": .string(secret), "user": Self.entity(user)], .none
                )
            }
        let methods: JSONValue = .array([.string(method)])
        var identityPart = JSONObject()
        identityPart["methods"] = methods
        identityPart[method] = identity
        var auth = JSONObject()
        auth["identity"] = .object(identityPart)
        switch scope {
        case .project(let project): auth["scope"] = ["project": Self.entity(project)]
        case .domain(let domain): auth["scope"] = ["domain": Self.domain(domain)]
        case .system(let part): auth["scope"] = ["system": .object(JSONObject([part: true]))]
        case .trust(let id): auth["scope"] = ["OS-TRUST:trust": ["id": .string(id)]]
        case .none: break
        }
        var writer = JSONWriter()
        writer.value(["auth": .object(auth)])
        return writer.bytes
    }

    private static func entity(_ entity: Entity, _ more: JSONObject = JSONObject()) -> JSONValue {
        var object = more
        switch entity {
        case .id(let id): object["id"] = .string(id)
        case .name(let name, let domain):
            object["name"] = .string(name)
            object["domain"] = Self.domain(domain)
        }
        return .object(object)
    }

    private static func domain(_ domain: Domain) -> JSONValue {
        switch domain {
        case .id(let id): ["id": .string(id)]
        case .name(let name): ["name": .string(name)]
        }
    }
}

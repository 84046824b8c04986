public import ImageModel
public import PolicyLanguage
internal import WireJSON

/// A caller as the rule language sees one (Glance, "Policy credentials").
///
/// What a caller has not is not there, and a check that names it fails. The reference puts a null in its place, which is
/// equal to the null of an image without owner: a caller without project would own what nobody owns.
public struct CallerCredentials: PolicyCredentials {
    private let caller: Caller

    public init(_ caller: Caller) { self.caller = caller }

    public func hasRole(_ name: String) -> Bool { caller.roles.contains(name) }

    public func value(of name: String) -> PolicyValue? {
        switch name {
        case "user_id": text(caller.user)
        case "project_id": text(caller.project)
        case "roles": .list(caller.roles.sorted().map { .text($0) })
        case "service_roles": .list(caller.serviceRoles.sorted().map { .text($0) })
        case "user_domain_id": text(caller.token.userDomain)
        case "project_domain_id": text(caller.token.projectDomain)
        case "domain_id": if case .domain(let id) = caller.token.scope { .text(id) } else { nil }
        case "system_scope", "system": if case .system(let part) = caller.token.scope { .text(part) } else { nil }
        case "is_admin_project": .text(caller.token.isAdminProject ? "True" : "False")
        case "service_user_id": text(caller.token.serviceUser)
        case "service_user_domain_id": text(caller.token.serviceUserDomain)
        case "service_project_id": text(caller.token.serviceProject)
        case "service_project_domain_id": text(caller.token.serviceProjectDomain)
        default: nil
        }
    }

    private func text(_ value: String?) -> PolicyValue? { value.map { .text($0) } }

    private static let names = [
        "user_id", "user_domain_id", "system_scope", "domain_id", "project_id", "project_domain_id", "roles",
        "service_user_id", "service_user_domain_id", "service_project_id", "service_project_domain_id", "service_roles",
    ]

    /// All of it for another service; what is not there is null.
    var json: JSONObject {
        var object = JSONObject()
        for name in Self.names { object[name] = value(of: name).map(Self.json) ?? .null }
        object["is_admin_project"] = .bool(caller.token.isAdminProject)
        if case .system(let part) = caller.token.scope { object["system"] = .string(part) }
        return object
    }

    private static func json(_ value: PolicyValue) -> JSONValue {
        switch value {
        case .text(let text): .string(text)
        case .list(let values): .array(values.map(json))
        case .object(let values):
            .object(values.sorted { $0.key < $1.key }.reduce(into: JSONObject()) { $0[$1.key] = json($1.value) })
        }
    }
}

extension PolicyTarget: PolicyTargetValues {
    public func text(of key: String) -> String? { self[key] }
}

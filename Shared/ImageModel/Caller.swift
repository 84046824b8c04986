/// Who asks: what identity found out and the registry's queries need.
public struct Caller: Sendable, Equatable {
    public var user: String?
    /// The project in whose name the caller acts: the owner of what it creates.
    public var project: String?
    /// Lower case.
    public var roles: Set<String>
    /// Roles that came with a service token, in the case in which they came.
    public var serviceRoles: Set<String>
    /// Sees and may change everything (policy rule `context_is_admin`).
    public var isAdmin: Bool
    /// An anonymous caller, who may change nothing.
    public var isReadOnly: Bool

    public init(
        user: String? = nil,
        project: String? = nil,
        roles: Set<String> = [],
        serviceRoles: Set<String> = [],
        isAdmin: Bool = false,
        isReadOnly: Bool = false
    ) {
        self.user = user
        self.project = project
        self.roles = roles
        self.serviceRoles = serviceRoles
        self.isAdmin = isAdmin
        self.isReadOnly = isReadOnly
    }

    public static let anonymous = Caller(isReadOnly: true)
}

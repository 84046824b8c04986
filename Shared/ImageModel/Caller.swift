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
    /// What policy alone may ask for besides; it stays in the API service.
    public var token = CallerToken()

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

/// What else a Keystone token says of its bearer, under the names of the policy credentials.
public struct CallerToken: Sendable, Equatable {
    public var userDomain: String?
    public var projectDomain: String?
    public var scope = Scope.project
    public var isAdminProject = true
    /// Who sent the service token that came with the request, if it was a good one.
    public var serviceUser: String?
    public var serviceUserDomain: String?
    public var serviceProject: String?
    public var serviceProjectDomain: String?

    /// What a token is for. Most rules are for callers of a project alone.
    public enum Scope: Sendable, Equatable {
        case project
        /// The domain's id.
        case domain(String)
        /// The part of the system: `all`, in practice.
        case system(String)
    }

    public init() {}
}

public import ImageModel

/// Believes everybody to be one and the same administrator (`auth_strategy = noauth`).
///
/// Upstream's counterpart has neither project nor roles, which the default policy refuses nearly everything; this one
/// comes with both, so that a client without credentials can do all there is. Whoever reaches the service owns it: the
/// program decides on which addresses that is tolerable.
public struct NoAuthIdentity: IdentityProvider {
    private let caller: Caller

    public static let defaultRoles: Set<String> = ["admin", "manager", "member", "reader"]

    public init(user: String = "admin", project: String = "admin", roles: Set<String> = defaultRoles) {
        caller = Caller(user: user, project: project, roles: Set(roles.map { $0.lowercased() }), isAdmin: true)
    }

    /// Never sent by this provider: nobody is turned away.
    public var challenge: String { "None realm=\"Image service\"" }

    public func identify(_ credentials: RequestCredentials) async throws(ServiceError) -> Caller { caller }
}

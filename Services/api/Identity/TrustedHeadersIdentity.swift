internal import HTTPTypes
public import ImageModel

/// Believes the identity headers that a token-checking proxy on this machine sets (`auth_strategy = trusted_headers`).
///
/// The names are those of Keystone's middleware. They are believed only from a Unix socket or a loopback address, and
/// the proxy must replace what its own clients send under these names: a header that occurs twice is refused, for one
/// of the two is likely a client's.
public struct TrustedHeadersIdentity: IdentityProvider {
    public let challenge: String
    private let isAdmin: @Sendable (Set<String>) -> Bool
    private let allowsAnonymous: Bool

    /// - Parameters:
    ///   - isAdmin: Whether roles, in lower case, make an administrator (policy rule `context_is_admin`).
    ///   - allowsAnonymous: Whether a request without any credentials may read what is open to all.
    ///   - challenge: For `WWW-Authenticate`; a proxy that knows Keystone will put its own in its place.
    public init(
        isAdmin: @escaping @Sendable (Set<String>) -> Bool,
        allowsAnonymous: Bool = false,
        challenge: String = "Keystone realm=\"Image service\""
    ) {
        self.isAdmin = isAdmin
        self.allowsAnonymous = allowsAnonymous
        self.challenge = challenge
    }

    public func identify(_ credentials: RequestCredentials) async throws(ServiceError) -> Caller {
        let headers = credentials.headers
        let status = headers[.identityStatus]
        // A proxy that found no token says so with a status that is not `Confirmed`, and nothing else.
        if status != "Confirmed", !HTTPField.Name.credentials.contains(where: headers.contains) {
            if allowsAnonymous { return .anonymous }
            throw .unauthenticated(.missingCredentials)
        }
        guard credentials.peer.isLocal else { throw .unauthenticated(.untrustedPeer) }
        guard !HTTPField.Name.identity.contains(where: { headers[values: $0].count > 1 }) else {
            throw .unauthenticated(.repeatedHeader)
        }
        guard status == "Confirmed" else { throw .unauthenticated(.notConfirmed) }

        let user = headers[.userID] ?? headers[.user]
        let project = headers[.projectID] ?? headers[.tenantID] ?? headers[.tenant]
        var roles = Set((headers[.roles] ?? headers[.role] ?? "").commaList.map { $0.lowercased() })
        // Every rule is for callers of a project. Where the token is for the system or a domain, its roles count for
        // nothing, which refuses what those rules would refuse for its scope.
        if headers[.systemScope]?.isEmpty == false || headers[.domainID]?.isEmpty == false { roles = [] }
        return Caller(
            user: user?.nonEmpty,
            project: project?.nonEmpty,
            roles: roles,
            serviceRoles: Set((headers[.serviceRoles] ?? "").commaList),
            isAdmin: isAdmin(roles)
        )
    }
}

extension HTTPField.Name {
    fileprivate static let identityStatus = name("X-Identity-Status")
    fileprivate static let userID = name("X-User-Id")
    fileprivate static let user = name("X-User")
    fileprivate static let projectID = name("X-Project-Id")
    fileprivate static let tenantID = name("X-Tenant-Id")
    fileprivate static let tenant = name("X-Tenant")
    fileprivate static let roles = name("X-Roles")
    fileprivate static let role = name("X-Role")
    fileprivate static let serviceRoles = name("X-Service-Roles")
    fileprivate static let domainID = name("X-Domain-Id")
    fileprivate static let systemScope = name("OpenStack-System-Scope")

    /// What tells who somebody is.
    fileprivate static let identity = [
        identityStatus, userID, user, projectID, tenantID, tenant, roles, role, serviceRoles, domainID, systemScope,
    ]

    /// What anybody sends who claims to be somebody.
    fileprivate static let credentials =
        identity.filter { $0 != identityStatus } + [.authorization, name("X-Auth-Token"), name("X-Storage-Token")]

    private static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is no header name") }
        return name
    }
}

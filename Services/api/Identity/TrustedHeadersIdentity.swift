internal import HTTPTypes
public import ImageModel
public import ServiceKit

/// Believes the identity headers that a token-checking proxy sets (`auth_strategy = trusted_headers`).
///
/// The names are those of Keystone's middleware. They are believed only from a Unix socket, a loopback address, a peer
/// with a client certificate that the server trusts, or an address that the operator listed; from anywhere else they are
/// as good as not sent. The proxy must replace what its own clients send under these names: a header that occurs twice is
/// refused, for one of the two is likely a client's.
public struct TrustedHeadersIdentity: IdentityProvider {
    public let challenge: String
    private let isAdmin: @Sendable (Set<String>) -> Bool
    private let allowsAnonymous: Bool
    private let proxies: [AddressRange]

    /// - Parameters:
    ///   - isAdmin: Whether roles, in lower case, make an administrator (policy rule `context_is_admin`).
    ///   - allowsAnonymous: Whether a request without any credentials may read what is open to all.
    ///   - proxies: Addresses that are believed besides those of this machine.
    ///   - challenge: For `WWW-Authenticate`; a proxy that knows Keystone will put its own in its place.
    public init(
        isAdmin: @escaping @Sendable (Set<String>) -> Bool,
        allowsAnonymous: Bool = false,
        proxies: [AddressRange] = [],
        challenge: String = "Keystone realm=\"Image service\""
    ) {
        self.isAdmin = isAdmin
        self.allowsAnonymous = allowsAnonymous
        self.proxies = proxies
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
        guard believes(credentials) else {
            // Without the headers it has said nothing of itself; a token or a password is for somebody who checks it.
            if allowsAnonymous, !HTTPField.Name.secrets.contains(where: headers.contains) { return .anonymous }
            throw .unauthenticated(.untrustedPeer)
        }
        guard !HTTPField.Name.identity.contains(where: { headers[values: $0].count > 1 }) else {
            throw .unauthenticated(.repeatedHeader)
        }
        // An owner, a member or a user of a record has at most 255 characters.
        guard HTTPField.Name.names.allSatisfy({ headers[$0].map(Self.isUsable) ?? true }) else {
            throw .unauthenticated(.unusableHeader)
        }
        guard status == "Confirmed" else { throw .unauthenticated(.notConfirmed) }
        return caller(headers)
    }

    /// Bytes that are no text have become U+FFFD on the way here, and two names could have become one.
    private static func isUsable(_ name: String) -> Bool {
        name.unicodeScalars.count <= 255 && !name.unicodeScalars.contains { $0 == "\u{FFFD}" || $0.value < 0x20 }
    }

    private func believes(_ credentials: RequestCredentials) -> Bool {
        if credentials.peer.isLocal || credentials.hasClientCertificate { return true }
        guard case .address(let address) = credentials.peer else { return false }
        return proxies.contains { $0.contains(address) }
    }

    private func caller(_ headers: HTTPFields) -> Caller {
        func text(_ names: HTTPField.Name...) -> String? {
            names.lazy.compactMap { headers[$0] }.first?.nonEmpty
        }
        var caller = Caller(
            user: text(.userID, .user),
            project: text(.projectID, .tenantID, .tenant),
            roles: Set((headers[.roles] ?? headers[.role] ?? "").commaList.map { $0.lowercased() })
        )
        caller.token.userDomain = text(.userDomainID)
        caller.token.projectDomain = text(.projectDomainID)
        if let part = text(.systemScope) {
            caller.token.scope = .system(part)
        } else if let domain = text(.domainID) {
            caller.token.scope = .domain(domain)
        }
        caller.token.isAdminProject = headers[.isAdminProject]?.lowercased() != "false"
        caller.isAdmin = isAdmin(caller.roles)
        // A proxy that found the service token wanting says so, beside what the token says.
        if [nil, "Confirmed"].contains(headers[.serviceIdentityStatus]) {
            caller.serviceRoles = Set((headers[.serviceRoles] ?? "").commaList)
            caller.token.serviceUser = text(.serviceUserID)
            caller.token.serviceUserDomain = text(.serviceUserDomainID)
            caller.token.serviceProject = text(.serviceProjectID)
            caller.token.serviceProjectDomain = text(.serviceProjectDomainID)
        }
        return caller
    }
}

extension HTTPField.Name {
    fileprivate static let identityStatus = known("X-Identity-Status")
    fileprivate static let userID = known("X-User-Id")
    fileprivate static let user = known("X-User")
    fileprivate static let userDomainID = known("X-User-Domain-Id")
    fileprivate static let projectID = known("X-Project-Id")
    fileprivate static let projectDomainID = known("X-Project-Domain-Id")
    fileprivate static let tenantID = known("X-Tenant-Id")
    fileprivate static let tenant = known("X-Tenant")
    fileprivate static let roles = known("X-Roles")
    fileprivate static let role = known("X-Role")
    fileprivate static let domainID = known("X-Domain-Id")
    fileprivate static let systemScope = known("OpenStack-System-Scope")
    fileprivate static let isAdminProject = known("X-Is-Admin-Project")
    fileprivate static let serviceIdentityStatus = known("X-Service-Identity-Status")
    fileprivate static let serviceRoles = known("X-Service-Roles")
    fileprivate static let serviceUserID = known("X-Service-User-Id")
    fileprivate static let serviceUserDomainID = known("X-Service-User-Domain-Id")
    fileprivate static let serviceProjectID = known("X-Service-Project-Id")
    fileprivate static let serviceProjectDomainID = known("X-Service-Project-Domain-Id")

    /// What may become part of a record.
    fileprivate static let names = [userID, user, projectID, tenantID, tenant]

    /// What tells who somebody is. Names, the catalogue and the rest of what the middleware sets have no say here.
    fileprivate static let identity = [
        identityStatus, userID, user, userDomainID, projectID, projectDomainID, tenantID, tenant, roles, role, domainID,
        systemScope, isAdminProject, serviceIdentityStatus, serviceRoles, serviceUserID, serviceUserDomainID,
        serviceProjectID, serviceProjectDomainID,
    ]

    /// What anybody sends who claims to be somebody.
    fileprivate static let credentials =
        identity.filter { $0 != identityStatus && $0 != serviceIdentityStatus } + secrets

    /// What the proxy checks.
    fileprivate static let secrets: [HTTPField.Name] = [
        .authorization, known("X-Auth-Token"), known("X-Storage-Token"),
    ]
}

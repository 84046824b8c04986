internal import HTTPTypes
public import ImageModel
public import Logging
internal import ServiceKit

/// Believes whoever brings a token that Keystone calls good (`auth_strategy = keystone`), by the rules of Keystone's
/// middleware.
public final class KeystoneIdentity: IdentityProvider {
    public let challenge: String
    private let settings: KeystoneSettings
    private let isAdmin: @Sendable (Set<String>) -> Bool
    private let allowsAnonymous: Bool
    private let authority: KeystoneAuthority
    private let memcached: Memcached?
    private let tokens: KeystoneTokens

    /// Asks nobody yet: the first token does. To be ended by ``shutdown()``.
    ///
    /// - Parameters:
    ///   - isAdmin: Whether roles, in lower case, make an administrator (policy rule `context_is_admin`).
    ///   - allowsAnonymous: Whether a request without a token may read what is open to all.
    /// - Throws: when the certificates cannot be read.
    public convenience init(
        _ settings: KeystoneSettings,
        isAdmin: @escaping @Sendable (Set<String>) -> Bool,
        allowsAnonymous: Bool = false,
        logger: Logger
    ) throws(KeystoneFailure) {
        try self.init(
            settings,
            isAdmin: isAdmin,
            allowsAnonymous: allowsAnonymous,
            now: { .now },
            logger: logger
        )
    }

    init(
        _ settings: KeystoneSettings,
        isAdmin: @escaping @Sendable (Set<String>) -> Bool,
        allowsAnonymous: Bool = false,
        now: @escaping @Sendable () -> Timestamp,
        logger: Logger
    ) throws(KeystoneFailure) {
        self.settings = settings
        self.isAdmin = isAdmin
        self.allowsAnonymous = allowsAnonymous
        challenge = "Keystone uri=\"\(settings.challengeURI ?? settings.authURL.description)\""
        authority = try KeystoneAuthority(settings, now: now, logger: logger)
        memcached = settings.sharedCache.map { Memcached($0, logger: logger) }
        tokens = KeystoneTokens(
            settings,
            authority: authority,
            sharedCache: memcached.map { SharedTokenCache($0, settings.sharedCache?.protection ?? .none) },
            now: now
        )
    }

    public func shutdown() async throws {
        await memcached?.shutdown()
        try await authority.shutdown()
    }

    public func identify(_ credentials: RequestCredentials) async throws(ServiceError) -> Caller {
        let headers = credentials.headers
        let service = try await serviceToken(headers[.serviceToken])
        let text = (headers[.authToken] ?? headers[.storageToken])?.trimmed ?? ""
        guard !text.isEmpty else { return try refuse(.missingCredentials) }
        guard let token = try await find(text, allowsExpired: service != nil) else { return try refuse(.wrongToken) }
        guard service != nil || allows(token, credentials) else { return try refuse(.accessRules) }
        return caller(token, service)
    }

    /// What a good service token says; `nil` without one. One that is not good counts for nothing, or refuses the
    /// request where decisions are not left to later.
    private func serviceToken(_ header: String?) async throws(ServiceError) -> KeystoneToken? {
        guard let text = header?.trimmed, !text.isEmpty else { return nil }
        let token = try await find(text, allowsExpired: false)
        if let token, isService(token) { return token }
        guard settings.delaysDecision else { throw .unauthenticated(.wrongServiceToken) }
        return nil
    }

    private func isService(_ token: KeystoneToken) -> Bool {
        !settings.requiresServiceRoles || !settings.serviceRoles.isDisjoint(with: token.roleNames)
    }

    private func find(_ text: String, allowsExpired: Bool) async throws(ServiceError) -> KeystoneToken? {
        do {
            return try await tokens.token(text, allowsExpired: allowsExpired)
        } catch {
            throw ServiceError(
                .unavailable,
                "The identity service cannot be asked about your token just now. Try again.",
                cause: error
            )
        }
    }

    private func allows(_ token: KeystoneToken, _ credentials: RequestCredentials) -> Bool {
        guard let rules = token.accessRules else { return true }
        guard let type = settings.serviceType, token.serviceTypes.contains(type) else { return false }
        return rules.contains { $0.allows(credentials.method, credentials.path, of: type) }
    }

    /// Nobody, where that is allowed and decisions are left to later; otherwise the refusal.
    private func refuse(_ reason: IdentityRefusal) throws(ServiceError) -> Caller {
        guard allowsAnonymous, settings.delaysDecision else { throw .unauthenticated(reason) }
        return .anonymous
    }

    private func caller(_ token: KeystoneToken, _ service: KeystoneToken?) -> Caller {
        var caller = token.caller
        caller.isAdmin = isAdmin(caller.roles)
        if let service {
            caller.serviceRoles = service.roleNames
            caller.token.serviceUser = service.caller.user
            caller.token.serviceUserDomain = service.caller.token.userDomain
            caller.token.serviceProject = service.caller.project
            caller.token.serviceProjectDomain = service.caller.token.projectDomain
        }
        return caller
    }
}

extension HTTPField.Name {
    fileprivate static let authToken = known("X-Auth-Token")
    fileprivate static let storageToken = known("X-Storage-Token")
    fileprivate static let serviceToken = known("X-Service-Token")
}

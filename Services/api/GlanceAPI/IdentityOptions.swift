import Identity
import Logging
import Policy
import ServiceKit

/// Who is calling: how that is found out, and the options that decide it.
enum IdentityOptions {
    enum Strategy: String, CaseIterable, Sendable {
        case keystone
        case httpBasic = "http_basic"
        case trustedHeaders = "trusted_headers"
        case noauth
    }

    static let strategy = ConfigurationOption.optionalChoice(
        "DEFAULT",
        "auth_strategy",
        of: Strategy.self,
        help:
            "How callers are identified: keystone (tokens), http_basic (a password file), trusted_headers (a proxy that "
            + "checks tokens sets identity headers) or noauth (everybody is an administrator). Unset: keystone where "
            + "[paste_deploy] flavor says so or [keystone_authtoken] auth_url is set."
    )
    static let flavor = ConfigurationOption.optionalString(
        "paste_deploy",
        "flavor",
        help:
            "Glance's choice of a pipeline: keystone, alone or with +caching or +cachemanagement, means auth_strategy = "
            + "keystone."
    )
    static let proxies = ConfigurationOption.list(
        "trusted_headers",
        "allowed_addresses",
        default: [],
        help: "Addresses or networks, such as 10.0.0.0/8, whose identity headers are believed under trusted_headers, "
            + "besides this machine's. Whoever can send from them can be anybody."
    )
    static let userFile = ConfigurationOption.string(
        "DEFAULT",
        "http_basic_auth_user_file",
        default: "/etc/glance/htpasswd",
        help: "Password file of http_basic: lines 'name:bcrypt-hash:project=P;roles=a,b;user=ID'. "
            + "'glance-api user' adds users."
    )
    static let allowsAnonymous = ConfigurationOption.boolean(
        "DEFAULT",
        "allow_anonymous_access",
        default: false,
        help:
            "Let callers without credentials in, as readers without user, project and roles: policy decides what they see."
    )
    static let noauthUser = ConfigurationOption.string(
        "noauth",
        "user_id",
        default: "admin",
        help: "The user that every caller is under noauth."
    )
    static let noauthProject = ConfigurationOption.string(
        "noauth",
        "project_id",
        default: "admin",
        help: "The project that every caller acts for under noauth."
    )
    static let noauthRoles = ConfigurationOption.list(
        "noauth",
        "roles",
        default: ["admin", "manager", "member", "reader"],
        help: "The roles that every caller has under noauth."
    )
    static let noauthAnywhere = ConfigurationOption.boolean(
        "noauth",
        "insecure_allow_anyone_from_anywhere",
        default: false,
        help: "Serve noauth on an address that other machines can reach. Whoever reaches it may read, change and "
            + "delete every image."
    )

    static let all: [OptionDescription] =
        [
            OptionDescription(strategy), OptionDescription(flavor), OptionDescription(allowsAnonymous),
            OptionDescription(userFile), OptionDescription(proxies), OptionDescription(noauthUser),
            OptionDescription(noauthProject), OptionDescription(noauthRoles), OptionDescription(noauthAnywhere),
        ] + KeystoneOptions.all

    /// - Throws: a sentence on what is missing, or what contradicts what.
    static func provider(
        _ configuration: ServiceConfiguration,
        _ address: ListeningAddress,
        _ policy: ImagePolicy,
        _ logger: Logger
    ) throws -> any IdentityProvider {
        let isAdmin = policy.isAdmin(roles:)
        let allowsAnonymous = try configuration.value(of: allowsAnonymous)
        switch try chosenStrategy(configuration) {
        case .keystone:
            let settings = try KeystoneOptions.settings(in: configuration)
            do {
                return try KeystoneIdentity(
                    settings,
                    isAdmin: isAdmin,
                    allowsAnonymous: allowsAnonymous,
                    logger: Logger(label: "glance.api.keystone")
                )
            } catch {
                throw ProgramFailure("[keystone_authtoken]: \(error)")
            }
        case .httpBasic:
            let users = try HTPasswdFile(path: try configuration.value(of: userFile)) { fault in
                logger.error(
                    "The password file changed and is not usable; the last good one stays",
                    metadata: ["error": "\(fault)"]
                )
            }
            return HTTPBasicIdentity(users: users, isAdmin: isAdmin, allowsAnonymous: allowsAnonymous)
        case .trustedHeaders:
            return TrustedHeadersIdentity(
                isAdmin: isAdmin,
                allowsAnonymous: allowsAnonymous,
                proxies: try trustedProxies(configuration)
            )
        case .noauth: return try noauth(configuration, address, logger)
        }
    }

    private static func noauth(
        _ configuration: ServiceConfiguration,
        _ address: ListeningAddress,
        _ logger: Logger
    ) throws -> NoAuthIdentity {
        if !address.isLocal {
            guard try configuration.value(of: noauthAnywhere) else {
                throw ProgramFailure(
                    "auth_strategy = noauth makes everybody an administrator and is served on 127.0.0.1, ::1 or a Unix "
                        + "socket only: set bind_host = 127.0.0.1, or choose http_basic"
                )
            }
            logger.warning("Everybody who reaches this service is an administrator (auth_strategy = noauth)")
        }
        return NoAuthIdentity(
            user: try configuration.value(of: noauthUser),
            project: try configuration.value(of: noauthProject),
            roles: Set(try configuration.value(of: noauthRoles))
        )
    }

    /// What `auth_strategy` says, or what an existing configuration of Glance means without it.
    private static func chosenStrategy(_ configuration: ServiceConfiguration) throws -> Strategy {
        let named = try configuration.value(of: strategy)
        let words = try configuration.value(of: flavor)?.split(separator: "+").map(String.init) ?? []
        for word in words where !["keystone", "caching", "cachemanagement"].contains(word) {
            throw configuration.refusal(
                of: flavor,
                because: "keystone is expected, alone or with +caching or +cachemanagement"
            )
        }
        let wantsKeystone = words.contains("keystone")
        if let named {
            guard !wantsKeystone || named == .keystone else {
                throw configuration.refusal(
                    of: flavor,
                    because: "this means Keystone, and auth_strategy is \(named.rawValue): leave one of them out"
                )
            }
            return named
        }
        guard wantsKeystone || KeystoneOptions.isFilled(in: configuration) else {
            throw ProgramFailure(
                "[DEFAULT] auth_strategy is not set: choose keystone, http_basic, trusted_headers or noauth"
            )
        }
        return .keystone
    }

    private static func trustedProxies(_ configuration: ServiceConfiguration) throws -> [AddressRange] {
        try configuration.value(of: proxies).map { text in
            guard let range = AddressRange(text) else {
                throw configuration.refusal(of: proxies, because: "a network such as 10.0.0.0/8 is expected")
            }
            return range
        }
    }
}

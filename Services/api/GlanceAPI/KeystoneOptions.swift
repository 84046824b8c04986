import Glibc
import Identity
import ServiceKit

/// `[keystone_authtoken]`, with the names of keystonemiddleware and keystoneauth.
enum KeystoneOptions {
    private static let section = "keystone_authtoken"

    // MARK: The service's own account

    static let authURL = text(
        "auth_url",
        "Keystone's URL, with or without /v3: where the service logs in to validate tokens."
    )
    static let authType = ConfigurationOption.optionalString(
        section,
        "auth_type",
        help: "How the service logs in: password (or v3password), or v3applicationcredential.",
        deprecated: [OptionName(section, "auth_plugin")]
    )
    static let authSection = text(
        "auth_section",
        "Read the options of the service's account (auth_url, auth_type, username, …) from this section instead."
    )
    static let username = text("username", "The service's user.", "user_name")
    static let userID = text("user_id", "The service's user by its id, instead of its name.")
    static let password = ConfigurationOption.optionalString(
        section,
        "password",
        help: "Password of the service's user.",
        isSecret: true
    )
    static let userDomainName = text("user_domain_name", "Domain of the service's user.")
    static let userDomainID = text("user_domain_id", "The same by its id.")
    static let projectName = text("project_name", "The project that the service logs in to.", "tenant_name")
    static let projectID = text("project_id", "The same by its id.", "tenant_id")
    static let projectDomainName = text("project_domain_name", "Domain of that project.")
    static let projectDomainID = text("project_domain_id", "The same by its id.")
    static let defaultDomainName = text("default_domain_name", "Domain of user and project where none is set.")
    static let defaultDomainID = text("default_domain_id", "The same by its id.")
    static let domainName = text("domain_name", "Log in to this domain instead of a project.")
    static let domainID = text("domain_id", "The same by its id.")
    static let systemScope = text("system_scope", "Log in to the system instead of a project: all.")
    static let trustID = text("trust_id", "Log in by this trust instead of to a project.")
    static let credentialID = text("application_credential_id", "Id of the application credential.")
    static let credentialName = text(
        "application_credential_name",
        "Its name, instead; with username or user_id."
    )
    static let credentialSecret = ConfigurationOption.optionalString(
        section,
        "application_credential_secret",
        help: "Secret of the application credential.",
        isSecret: true
    )

    // MARK: Tokens

    static let challengeURI = text(
        "www_authenticate_uri",
        "Keystone's public URL: where a 401 sends clients for a token. auth_url when unset.",
        "auth_uri"
    )
    static let delaysDecision = ConfigurationOption.boolean(
        section,
        "delay_auth_decision",
        default: true,
        help: "Treat a token that is not good like none at all: with allow_anonymous_access its bearer is anonymous, "
            + "without it is 401 all the same. Off: always 401, also for a service token that is not good. (On, as "
            + "Glance's own pipelines have it.)"
    )
    static let serviceRoles = ConfigurationOption.list(
        section,
        "service_token_roles",
        default: ["service"],
        help:
            "Any of these roles makes the token in X-Service-Token one of a service, beside which an expired user token "
            + "is good."
    )
    static let serviceRolesRequired = ConfigurationOption.boolean(
        section,
        "service_token_roles_required",
        default: true,
        help: "Take a service token without these roles for none. Off: any valid token makes a service."
    )
    static let serviceType = text(
        "service_type",
        "The type of this service in the catalogue (image), for application credentials with access rules; without it "
            + "their tokens are refused."
    )
    static let tokenBinding = ConfigurationOption.choice(
        section,
        "enforce_token_bind",
        of: ["disabled", "permissive"],
        default: "permissive",
        help: "Bound tokens are taken like others; what would demand a binding is not supported."
    )

    // MARK: Reaching Keystone

    static let interface = ConfigurationOption.string(
        section,
        "interface",
        default: "internal",
        help: "Which of the catalogue's identity endpoints validates tokens: internal, public or admin."
    )
    static let region = text("region_name", "Region of that endpoint; any when unset.")
    static let timeout = ConfigurationOption.duration(
        section,
        "http_connect_timeout",
        default: .seconds(5),
        atLeast: .milliseconds(100),
        help: "How long one exchange with Keystone may take; a token takes two of them at most. Then: 503."
    )
    static let retries = ConfigurationOption.integer(
        section,
        "http_request_max_retries",
        default: 3,
        in: 0...10,
        help: "How often an exchange whose connection failed is tried again."
    )
    static let cafile = text("cafile", "PEM file of the authorities that vouch for Keystone, instead of the system's.")
    static let certfile = text("certfile", "PEM file of the certificate to show to Keystone.")
    static let keyfile = text("keyfile", "PEM file of its key.")
    static let insecure = ConfigurationOption.boolean(
        section,
        "insecure",
        default: false,
        help: "Believe any certificate. Whoever sits on the way to Keystone then learns the password above."
    )

    // MARK: Remembering

    static let cacheTime = ConfigurationOption.integer(
        section,
        "token_cache_time",
        default: 300,
        in: -1...86_400,
        help:
            "For how many seconds a good token is not asked for again, and so how long a revoked one may still be used. "
            + "-1: every request asks."
    )
    static let outageTime = ConfigurationOption.duration(
        section,
        "token_outage_time",
        default: .seconds(3600),
        help: "While Keystone cannot be asked, tokens that it confirmed within this time stay good until they expire. "
            + "0: they go with token_cache_time."
    )
    static let memcachedServers = ConfigurationOption.list(
        section,
        "memcached_servers",
        default: [],
        help: "memcached servers, host:port, that keep what is known of tokens for all API processes. Each process "
            + "remembers on its own besides.",
        deprecated: [OptionName(section, "memcache_servers")]
    )
    static let memcacheStrategy = ConfigurationOption.string(
        section,
        "memcache_security_strategy",
        default: "None",
        help:
            "How entries in memcached are kept from others who reach it: None, MAC (nobody else can make one) or ENCRYPT "
            + "(nor read one)."
    )
    static let memcacheSecret = ConfigurationOption.optionalString(
        section,
        "memcache_secret_key",
        help: "The secret for that, the same for all API processes.",
        isSecret: true
    )
    static let memcacheTimeout = ConfigurationOption.duration(
        section,
        "memcache_pool_socket_timeout",
        default: .seconds(1),
        atLeast: .milliseconds(10),
        help: "How long memcached may take; what takes longer counts as not cached."
    )
    static let memcacheRest = ConfigurationOption.duration(
        section,
        "memcache_pool_dead_retry",
        default: .seconds(30),
        help: "How long a memcached server that failed is left alone."
    )
    static let memcacheTLS = ConfigurationOption.boolean(
        section,
        "memcache_tls_enabled",
        default: false,
        help: "Not supported: put memcached on a trusted network and set memcache_security_strategy."
    )
    static let memcacheSASL = ConfigurationOption.boolean(
        section,
        "memcache_sasl_enabled",
        default: false,
        help: "Not supported: the text protocol of memcached has no login."
    )

    /// The service's own account, in this section or another.
    static let account = [
        authURL, authType, username, userID, password, userDomainName, userDomainID, projectName, projectID,
        projectDomainName, projectDomainID, defaultDomainName, defaultDomainID, domainName, domainID, systemScope,
        trustID, credentialID, credentialName, credentialSecret,
    ]

    static let all: [OptionDescription] =
        [OptionDescription(authSection)] + account.map { OptionDescription($0) } + [
            OptionDescription(challengeURI), OptionDescription(delaysDecision), OptionDescription(serviceRoles),
            OptionDescription(serviceRolesRequired), OptionDescription(serviceType), OptionDescription(tokenBinding),
            OptionDescription(interface), OptionDescription(region), OptionDescription(timeout),
            OptionDescription(retries), OptionDescription(cafile), OptionDescription(certfile),
            OptionDescription(keyfile), OptionDescription(insecure), OptionDescription(cacheTime),
            OptionDescription(outageTime), OptionDescription(memcachedServers), OptionDescription(memcacheStrategy),
            OptionDescription(memcacheSecret), OptionDescription(memcacheTimeout), OptionDescription(memcacheRest),
            OptionDescription(memcacheTLS), OptionDescription(memcacheSASL),
        ]

    /// Whether enough is set to choose Keystone by it.
    static func isFilled(in configuration: ServiceConfiguration) -> Bool {
        configuration.isSet(authURL) || configuration.isSet(authSection)
    }

    private static func text(_ name: String, _ help: String, _ formerName: String? = nil)
        -> ConfigurationOption<String?>
    {
        .optionalString(section, name, help: help, deprecated: formerName.map { [OptionName(section, $0)] } ?? [])
    }
}

import Identity
import ServiceKit

extension KeystoneOptions {
    /// What the section says, or a sentence on what is missing or cannot be.
    static func settings(in configuration: ServiceConfiguration) throws(ConfigurationError) -> KeystoneSettings {
        let section = try configuration.value(of: authSection) ?? authURL.name.section
        var settings = try login(in: configuration, section: section)
        if let text = try configuration.value(of: challengeURI) {
            guard let uri = KeystoneURL(text) else {
                throw configuration.refusal(of: challengeURI, because: "an http or https URL is expected")
            }
            settings.challengeURI = "\(uri)"
        }
        settings.delaysDecision = try configuration.value(of: delaysDecision)
        settings.serviceRoles = Set(try configuration.value(of: serviceRoles))
        settings.requiresServiceRoles = try configuration.value(of: serviceRolesRequired)
        settings.serviceType = try configuration.value(of: serviceType)
        _ = try configuration.value(of: tokenBinding)
        let seconds = try configuration.value(of: cacheTime)
        settings.cachedFor = .seconds(max(seconds, 0))
        settings.outageTime = try configuration.value(of: outageTime)
        settings.sharedCache = try sharedCache(configuration)
        return settings
    }

    /// How the service logs in, by the account of a section, and how Keystone is reached.
    static func login(in configuration: ServiceConfiguration, section: String) throws(ConfigurationError)
        -> KeystoneSettings
    {
        let account = Account(configuration: configuration, section: section)
        let url = try account.required(authURL)
        guard let address = KeystoneURL(url) else {
            throw account.refusal(authURL, "an http or https URL such as https://keystone.example:5000/v3 is expected")
        }
        var settings = KeystoneSettings(authURL: address, credential: try account.credential())
        try read(connection: &settings, configuration)
        return settings
    }

    private static func read(connection settings: inout KeystoneSettings, _ configuration: ServiceConfiguration)
        throws(ConfigurationError)
    {
        let word = try configuration.value(of: interface)
        // keystoneauth takes the catalogue's old names too.
        settings.interface = word.hasSuffix("URL") ? String(word.dropLast(3)) : word
        guard ["internal", "public", "admin"].contains(settings.interface) else {
            throw configuration.refusal(of: interface, because: "internal, public or admin is expected")
        }
        settings.region = try configuration.value(of: region)
        settings.exchangeTimeout = try configuration.value(of: timeout)
        settings.retryLimit = try configuration.value(of: retries)
        settings.tls.authorities = try configuration.value(of: cafile)
        settings.tls.certificate = try configuration.value(of: certfile)
        settings.tls.key = try configuration.value(of: keyfile)
        settings.tls.isInsecure = try configuration.value(of: insecure)
    }

    private static func sharedCache(_ configuration: ServiceConfiguration) throws(ConfigurationError)
        -> MemcachedSettings?
    {
        var servers: [MemcachedSettings.Server] = []
        for text in try configuration.value(of: memcachedServers) {
            guard let server = MemcachedSettings.Server(text) else {
                throw configuration.refusal(
                    of: memcachedServers,
                    because: "servers such as 10.0.0.5:11211 are expected"
                )
            }
            servers.append(server)
        }
        guard !servers.isEmpty else { return nil }
        for option in [memcacheTLS, memcacheSASL] where try configuration.value(of: option) {
            throw configuration.refusal(of: option, because: "this is not supported; leave it out")
        }
        var settings = MemcachedSettings(servers: servers)
        settings.timeout = try configuration.value(of: memcacheTimeout)
        settings.restTime = try configuration.value(of: memcacheRest)
        settings.protection = try protection(configuration)
        return settings
    }

    private static func protection(_ configuration: ServiceConfiguration) throws(ConfigurationError)
        -> TokenProtection
    {
        let strategy = try configuration.value(of: memcacheStrategy).lowercased()
        if strategy == "none" { return .none }
        guard ["mac", "encrypt"].contains(strategy) else {
            throw configuration.refusal(of: memcacheStrategy, because: "None, MAC or ENCRYPT is expected")
        }
        guard let secret = try configuration.value(of: memcacheSecret) else {
            throw configuration.refusal(of: memcacheStrategy, because: "memcache_secret_key has to be set with it")
        }
        return strategy == "mac" ? .signed(secret: secret) : .encrypted(secret: secret)
    }
}

/// The service's own account, in `[keystone_authtoken]` or the section that it names.
private struct Account {
    let configuration: ServiceConfiguration
    let section: String

    func value(_ option: ConfigurationOption<String?>) throws(ConfigurationError) -> String? {
        try configuration.value(of: option.inSection(section))
    }

    func required(_ option: ConfigurationOption<String?>) throws(ConfigurationError) -> String {
        guard let value = try value(option) else {
            throw ConfigurationError(
                "[\(section)] \(option.name.name) is not set, and Keystone cannot be asked without it"
            )
        }
        return value
    }

    func refusal(_ option: ConfigurationOption<String?>, _ reason: String) -> ConfigurationError {
        configuration.refusal(of: option.inSection(section), because: reason)
    }

    func credential() throws(ConfigurationError) -> KeystoneCredential {
        switch try value(KeystoneOptions.authType) {
        case nil, "password", "v3password":
            let password = try required(KeystoneOptions.password)
            return .password(user: try user(), password: password, scope: try scope())
        case "v3applicationcredential":
            let secret = try required(KeystoneOptions.credentialSecret)
            if let id = try value(KeystoneOptions.credentialID) {
                return .application(credential: .id(id), secret: secret)
            }
            let name = try required(KeystoneOptions.credentialName)
            return .application(credential: .name(name, user: try user()), secret: secret)
        default:
            throw refusal(KeystoneOptions.authType, "password or v3applicationcredential is expected")
        }
    }

    private func user() throws(ConfigurationError) -> KeystoneCredential.Entity {
        if let id = try value(KeystoneOptions.userID) { return .id(id) }
        let name = try required(KeystoneOptions.username)
        return .name(name, domain: try domain(KeystoneOptions.userDomainID, KeystoneOptions.userDomainName))
    }

    private func scope() throws(ConfigurationError) -> KeystoneCredential.Scope {
        if let id = try value(KeystoneOptions.trustID) { return .trust(id) }
        if let part = try value(KeystoneOptions.systemScope) { return .system(part) }
        if let id = try value(KeystoneOptions.projectID) { return .project(.id(id)) }
        if let name = try value(KeystoneOptions.projectName) {
            let domain = try domain(KeystoneOptions.projectDomainID, KeystoneOptions.projectDomainName)
            return .project(.name(name, domain: domain))
        }
        if let id = try value(KeystoneOptions.domainID) { return .domain(.id(id)) }
        if let name = try value(KeystoneOptions.domainName) { return .domain(.name(name)) }
        throw ConfigurationError(
            "[\(section)] project_name is not set, and a login without a project (or domain or system) may not validate tokens"
        )
    }

    private func domain(_ id: ConfigurationOption<String?>, _ name: ConfigurationOption<String?>)
        throws(ConfigurationError) -> KeystoneCredential.Domain
    {
        if let id = try value(id) { return .id(id) }
        if let name = try value(name) { return .name(name) }
        if let id = try value(KeystoneOptions.defaultDomainID) { return .id(id) }
        if let name = try value(KeystoneOptions.defaultDomainName) { return .name(name) }
        throw ConfigurationError("[\(section)] \(name.name.name) is not set; it is mostly Default")
    }
}

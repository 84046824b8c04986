internal import Fetching
internal import ServiceKit

/// The options of stores that read from web servers, and from which servers anything may be fetched.
enum WebStoreOptions {
    static let authorities = ConfigurationOption.optionalString(
        "glance_store",
        "https_ca_certificates_file",
        help: "File of PEM certificates that sources of https locations are verified by; the system's when unset. "
            + "Also in the section of a store."
    )
    static let isInsecure = ConfigurationOption.boolean(
        "glance_store",
        "https_insecure",
        default: false,
        help: "Believe any certificate, where https_ca_certificates_file is unset. Also in the section of a store."
    )
    static let proxies = ConfigurationOption.dictionary(
        "glance_store",
        "http_proxy_information",
        help: "Proxies by scheme, as 'http:10.0.0.1:3128, https:10.0.0.1:3128'. A proxy looks names up itself, so that "
            + "addresses are not judged. Also in the section of a store."
    )

    static func all(in section: String) -> [OptionDescription] {
        [
            OptionDescription(authorities.inSection(section)), OptionDescription(isInsecure.inSection(section)),
            OptionDescription(proxies.inSection(section)),
        ]
    }

    private static func filter(_ name: String, default value: [String] = [], _ help: String) -> ConfigurationOption<
        [String]
    > {
        .list("import_filtering_opts", name, default: value, mayBeBounded: true, help: help)
    }

    static let allowedSchemes = filter(
        "allowed_schemes",
        default: ["http", "https"],
        "Schemes of URLs that are fetched for clients. An allowed list that is not empty counts alone."
    )
    static let disallowedSchemes = filter("disallowed_schemes", "Schemes that are not.")
    static let allowedHosts = filter(
        "allowed_hosts",
        "Hosts that are fetched from. Only what is listed here may be this machine or its link."
    )
    static let disallowedHosts = filter("disallowed_hosts", "Hosts and addresses that are not.")
    static let allowedPorts = filter(
        "allowed_ports",
        default: ["80", "443"],
        "Ports that are fetched from, where a URL names one."
    )
    static let disallowedPorts = filter("disallowed_ports", "Ports that are not.")

    static let rules: [OptionDescription] = [
        OptionDescription(allowedSchemes), OptionDescription(disallowedSchemes), OptionDescription(allowedHosts),
        OptionDescription(disallowedHosts), OptionDescription(allowedPorts), OptionDescription(disallowedPorts),
    ]

    /// What the store of that section reads by; what it leaves out is taken from `[backend_defaults]`.
    static func fetcher(_ configuration: ServiceConfiguration, _ section: String) throws -> Fetcher {
        func value<Value>(_ option: ConfigurationOption<Value>) throws -> Value {
            let own = option.inSection(section)
            return try configuration.value(of: configuration.isSet(own) ? own : option.inSection("backend_defaults"))
        }
        var trust = try value(isInsecure) ? Fetcher.Trust.anybody : .system
        if let file = try value(authorities) {
            _ = try WholeFile.bytes(of: file)
            trust = .file(file)
        }
        return Fetcher(
            rules: try fetchRules(configuration),
            trust: trust,
            proxies: try servers(try value(proxies), section)
        )
    }

    private static func fetchRules(_ configuration: ServiceConfiguration) throws -> FetchRules {
        var rules = FetchRules()
        rules.allowedSchemes = try configuration.value(of: allowedSchemes)
        rules.disallowedSchemes = try configuration.value(of: disallowedSchemes)
        rules.allowedHosts = try configuration.value(of: allowedHosts)
        rules.disallowedHosts = try configuration.value(of: disallowedHosts)
        rules.allowedPorts = try ports(allowedPorts, configuration)
        rules.disallowedPorts = try ports(disallowedPorts, configuration)
        return rules
    }

    private static func ports(
        _ option: ConfigurationOption<[String]>,
        _ configuration: ServiceConfiguration
    ) throws -> [Int] {
        try configuration.value(of: option).map { text in
            guard let port = Int(text), (1...65_535).contains(port) else {
                throw ProgramFailure("[import_filtering_opts] \(option.name.name): '\(text)' is no port")
            }
            return port
        }
    }

    private static func servers(_ pairs: [OptionPair], _ section: String) throws -> [String: Fetcher.Proxy] {
        var servers: [String: Fetcher.Proxy] = [:]
        for pair in pairs {
            guard ["http", "https"].contains(pair.key), let colon = pair.value.lastIndex(of: ":"),
                let port = Int(pair.value[pair.value.index(after: colon)...]), (1...65_535).contains(port),
                colon > pair.value.startIndex
            else {
                throw ProgramFailure(
                    "[\(section)] http_proxy_information: '\(pair.key):\(pair.value)' is not accepted: scheme:host:port is expected"
                )
            }
            let host = String(pair.value[..<colon].drop { $0 == "/" })
            servers[pair.key] = Fetcher.Proxy(host: host, port: port)
        }
        return servers
    }
}

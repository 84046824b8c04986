/// `[healthcheck]`, with the names of oslo.middleware.
public enum HealthOptions {
    /// Which files count; upstream wants each named before its paths mean anything.
    enum Backend: String, CaseIterable {
        case disableByFile = "disable_by_file"
        case disableByPort = "disable_by_files_ports"
        case enableByFile = "enable_by_files"
    }

    static let path = ConfigurationOption.string(
        "healthcheck",
        "path",
        default: "/healthcheck",
        help: "Path of the health check."
    )
    static let backends = ConfigurationOption.list(
        "healthcheck",
        "backends",
        default: [],
        help:
            "Which checks are made: disable_by_file, disable_by_files_ports, enable_by_files. All whose paths are set "
            + "when empty."
    )
    static let disablingFile = ConfigurationOption.optionalString(
        "healthcheck",
        "disable_by_file_path",
        help: "While this file exists the check answers 503 DISABLED BY FILE."
    )
    static let disablingFiles = ConfigurationOption.list(
        "healthcheck",
        "disable_by_file_paths",
        default: [],
        help: "The same for several services, each 'port:path': the path counts for the service on that port."
    )
    static let enablingFiles = ConfigurationOption.list(
        "healthcheck",
        "enable_by_file_paths",
        default: [],
        help: "While none of these files exists the check answers 503 FILE PATH MISSING."
    )
    static let isDetailed = ConfigurationOption.boolean(
        "healthcheck",
        "detailed",
        default: false,
        help: "Tell which file decided, in HTML and JSON. Whoever reaches the check reads it."
    )
    static let sources = ConfigurationOption.list(
        "healthcheck",
        "allowed_source_ranges",
        default: [],
        help: "Networks, such as 10.0.0.0/8, whose addresses may ask; others get 404. Anybody may when empty."
    )
    static let ignoresProxied = ConfigurationOption.boolean(
        "healthcheck",
        "ignore_proxied_requests",
        default: false,
        help: "Answer 404 to requests that came through a proxy, which a header Forwarded or X-Forwarded-… tells."
    )

    public static let all: [OptionDescription] = [
        OptionDescription(path), OptionDescription(backends), OptionDescription(disablingFile),
        OptionDescription(disablingFiles), OptionDescription(enablingFiles), OptionDescription(isDetailed),
        OptionDescription(sources), OptionDescription(ignoresProxied),
    ]

    /// Who may ask for the service's health, where, and how much is told.
    public static func check(in configuration: ServiceConfiguration) throws(ConfigurationError) -> HealthCheck {
        var check = HealthCheck()
        check.path = try configuration.value(of: path)
        guard check.path.hasPrefix("/"), check.path.utf8.count > 1 else {
            throw configuration.refusal(of: path, because: "a path such as /healthcheck is expected")
        }
        check.isDetailed = try configuration.value(of: isDetailed)
        check.ignoresProxied = try configuration.value(of: ignoresProxied)
        check.allowedSources = try configuration.ranges(of: sources)
        return check
    }

    /// The files that decide about the service on this port; `nil` for one on a Unix socket.
    public static func files(in configuration: ServiceConfiguration, port: Int?) throws(ConfigurationError)
        -> HealthFiles
    {
        var chosen: Set<Backend> = []
        for word in try configuration.value(of: backends) {
            guard let backend = Backend(rawValue: word) else {
                throw configuration.refusal(
                    of: backends,
                    because: "'\(word.escapedForOneLine)' is none of "
                        + Backend.allCases.map(\.rawValue).joined(separator: ", ")
                )
            }
            chosen.insert(backend)
        }
        if chosen.isEmpty { chosen = Set(Backend.allCases) }
        var files = HealthFiles()
        if let path = try configuration.value(of: disablingFile), chosen.contains(.disableByFile) {
            files.disabling.append(path)
        }
        for text in try configuration.value(of: disablingFiles) {
            let parts = text.split(separator: ":", maxSplits: 1).map(\.trimmed)
            guard parts.count == 2, let number = Int(parts[0]), (1...65_535).contains(number) else {
                throw configuration.refusal(
                    of: disablingFiles,
                    because: "'\(text.escapedForOneLine)' is not port:path"
                )
            }
            if number == port, chosen.contains(.disableByPort) { files.disabling.append(parts[1]) }
        }
        if chosen.contains(.enableByFile) { files.enabling = try configuration.value(of: enablingFiles) }
        return files
    }
}

public import Logging

/// Where a service listens (Glance's and Ironic's option names).
public struct ListeningOptions: Sendable {
    public let host: ConfigurationOption<String>
    public let port: ConfigurationOption<Int>
    public let socket: ConfigurationOption<String?>
    /// oslo.service's name.
    public let shutdownTimeout = ConfigurationOption.duration(
        "DEFAULT",
        "graceful_shutdown_timeout",
        default: .seconds(60),
        help: "How long running requests may take to finish after the service was asked to stop, in seconds."
    )

    public let drainTime = ConfigurationOption.duration(
        "DEFAULT",
        "drain_seconds",
        default: .zero,
        atLeast: .zero,
        help: "How long the service goes on after it was asked to stop, with a health check that answers 503 SHUTTING "
            + "DOWN, so that load balancers stop sending requests first. Counts towards graceful_shutdown_timeout."
    )
    /// Glance's names, from the days when it listened by itself.
    public let certificate = ConfigurationOption.optionalString(
        "DEFAULT",
        "cert_file",
        help: "Certificate in PEM, followed by those that lead to its authority: listen with TLS. Needs key_file."
    )
    public let privateKey = ConfigurationOption.optionalString(
        "DEFAULT",
        "key_file",
        help: "Private key in PEM of cert_file."
    )
    public let authority = ConfigurationOption.optionalString(
        "DEFAULT",
        "ca_file",
        help:
            "Certificates in PEM of authorities: only clients with a certificate of theirs may connect. Needs cert_file."
    )

    public let metricsSources = ConfigurationOption.list(
        "DEFAULT",
        "metrics_source_ranges",
        default: [],
        help:
            "Networks, such as 10.0.0.0/8, whose addresses may read /metrics; others get 404. This machine may in any "
            + "case, except through a proxy, which a header Forwarded or X-Forwarded-… tells."
    )

    public init(defaultHost: String, defaultPort: Int) {
        host = .string(
            "DEFAULT",
            "bind_host",
            default: defaultHost,
            help: "Address to listen on; an IP address or a host name."
        )
        port = .port("DEFAULT", "bind_port", default: defaultPort, help: "TCP port to listen on.")
        socket = .optionalString(
            "DEFAULT",
            "bind_socket",
            help: "Path of a Unix socket to listen on instead of a TCP port."
        )
    }

    public var all: [OptionDescription] {
        [
            OptionDescription(host), OptionDescription(port), OptionDescription(socket),
            OptionDescription(shutdownTimeout), OptionDescription(drainTime), OptionDescription(certificate),
            OptionDescription(privateKey), OptionDescription(authority), OptionDescription(metricsSources),
        ]
    }

    public func metricsReaders(in configuration: ServiceConfiguration) throws(ConfigurationError) -> MetricsReaders {
        var readers = MetricsReaders()
        readers.allowedSources = try configuration.ranges(of: metricsSources)
        return readers
    }

    /// What the service listens with; `nil` for plain HTTP.
    public func tls(in configuration: ServiceConfiguration, logger: Logger) throws -> TLSContext? {
        let files = TLSFiles(
            certificate: try configuration.value(of: certificate),
            key: try configuration.value(of: privateKey),
            authority: try configuration.value(of: authority)
        )
        guard files != TLSFiles() else { return nil }
        guard files.certificate != nil, files.key != nil else {
            throw ConfigurationError("[DEFAULT] cert_file and key_file belong together, and ca_file needs both")
        }
        return try TLSContext(.server, files, logger: logger)
    }

    public func address(in configuration: ServiceConfiguration) throws(ConfigurationError) -> ListeningAddress {
        if let path = try configuration.value(of: socket) {
            guard path.hasPrefix("/"), path.utf8.count < 104 else {
                throw ConfigurationError(
                    "[DEFAULT] bind_socket: '\(path)' is not accepted: an absolute path of fewer than 104 bytes is expected"
                )
            }
            return .unixSocket(path: path)
        }
        return .tcp(host: try configuration.value(of: host), port: try configuration.value(of: port))
    }
}

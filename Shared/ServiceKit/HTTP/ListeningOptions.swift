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
            OptionDescription(shutdownTimeout),
        ]
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

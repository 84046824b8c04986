internal import Logging
internal import RegistryHTTP
public import ServiceKit

/// Where the registries are, and how they are believed.
public enum RegistryHopOptions {
    public static let keyFile = ConfigurationOption.string(
        "registry",
        "key_file",
        default: "/etc/glance/registry.keys",
        help: "File of the secrets shared with glance-registry: lines 'key-id base64-secret', mode 0600. The first key "
            + "signs, all of them verify. Read anew when it changes."
    )
    static let endpoints = ConfigurationOption.list(
        "registry",
        "endpoints",
        default: ["http://127.0.0.1:9191"],
        help: "Where registries listen: http://host:port, https://host:port or unix:/path, separated by commas. "
            + "Requests are spread over those that answer."
    )
    static let authority = ConfigurationOption.optionalString(
        "registry",
        "client_ca_file",
        help:
            "Certificates in PEM of the authorities that sign the certificates of https endpoints; those of the system "
            + "when unset."
    )
    static let certificate = ConfigurationOption.optionalString(
        "registry",
        "client_cert_file",
        help: "Certificate in PEM to show to https endpoints whose registries have ca_file set. Needs client_key_file."
    )
    static let privateKey = ConfigurationOption.optionalString(
        "registry",
        "client_key_file",
        help: "Private key in PEM of client_cert_file."
    )

    public static let all: [OptionDescription] = [
        OptionDescription(keyFile), OptionDescription(endpoints), OptionDescription(authority),
        OptionDescription(certificate),
        OptionDescription(privateKey),
    ]

    static func endpoints(in configuration: ServiceConfiguration) throws -> [RegistryEndpoint] {
        let texts = try configuration.value(of: endpoints)
        guard !texts.isEmpty else { throw ProgramFailure("[registry] endpoints names no registry") }
        return try texts.map { text in
            guard let endpoint = RegistryEndpoint(text) else {
                throw ProgramFailure(
                    "[registry] endpoints: '\(text)' is not accepted: http://host:port, https://host:port or unix:/path "
                        + "is expected"
                )
            }
            return endpoint
        }
    }

    /// What https endpoints are connected to with; `nil` where there are none.
    static func tls(
        in configuration: ServiceConfiguration,
        _ endpoints: [RegistryEndpoint],
        logger: Logger
    ) throws -> TLSContext? {
        let files = TLSFiles(
            certificate: try configuration.value(of: certificate),
            key: try configuration.value(of: privateKey),
            authority: try configuration.value(of: authority)
        )
        guard (files.certificate == nil) == (files.key == nil) else {
            throw ProgramFailure("[registry] client_cert_file and client_key_file belong together")
        }
        guard endpoints.contains(where: \.isTLS) else { return nil }
        return try TLSContext(.client, files, logger: logger)
    }
}

public import Logging
internal import NIOPosix
internal import RegistryContract
public import RegistryHTTP
public import ServiceKit

/// The way to the registries as a configuration names it: endpoints, keys and certificates, which follow their files.
public struct RegistryHop: Sendable {
    private let keys: FollowedFiles<RegistryKeys>
    private let endpoints: [RegistryEndpoint]
    private let tls: TLSContext?

    /// - Throws: a sentence for the operator, when an option or a file is none that can be used.
    public init(_ configuration: ServiceConfiguration, logger: Logger) throws {
        let keyFile = try configuration.value(of: RegistryHopOptions.keyFile)
        keys = try FollowedFiles([keyFile], logger: logger) { try RegistryKeys(file: keyFile) }
        endpoints = try RegistryHopOptions.endpoints(in: configuration)
        tls = try RegistryHopOptions.tls(in: configuration, endpoints, logger: logger)
    }

    /// Opens the client. Metrics must have their factory by then.
    public func connect(logger: Logger) async throws -> HTTPRegistryClient {
        let keys = keys
        return try await HTTPRegistryClient(
            endpoints: endpoints,
            keys: { keys.current },
            tls: tls,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
    }

    /// Reads keys and certificates anew.
    public func reload() {
        keys.reload()
        tls?.reload()
    }
}

import ArgumentParser
import CoreMetrics
import Digests
import Glibc
import Hummingbird
import Identity
import ImageAPI
import ImageModel
import Logging
import NIOCore
import NIOPosix
import Policy
import RegistryContract
import RegistryHTTP
import ServiceKit
import ServiceLifecycle
import StoreFile
import StoreLayer

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves the Image API (the default).",
        discussion:
            "Reads oslo-style INI files; a later file wins, and OS_<SECTION>__<OPTION> in the environment wins over all."
    )

    @OptionGroup var files: ConfigurationFiles

    func run() async throws {
        do {
            try await serve()
        } catch {
            exitProgram("glance-api", because: (error as? StoreError)?.message ?? "\(error)")
        }
    }

    private func serve() async throws {
        let (configuration, logger) = try files.start(
            "glance-api",
            standard: "/etc/glance/glance-api.conf",
            options: APIOptions.all
        )
        let address = try APIOptions.listening.address(in: configuration)
        let shutdownTimeout = try configuration.value(of: APIOptions.listening.shutdownTimeout)
        let policy = ImagePolicy()
        let identity = try identity(configuration, address, policy, logger)
        let keys = try RegistryKeys(file: try configuration.value(of: APIOptions.keyFile))
        let endpoints = try endpoints(configuration)
        let cores = max(2, NIOCore.System.coreCount)
        let fileThreads = WorkerThreads(count: max(8, cores))
        let catalogue = try await StoreOptions.catalogue(configuration, threads: fileThreads, logger: logger)
        let declared = try SchemaFile.declaredProperties(beside: files, logger: logger)
        let settings = try settings(configuration, catalogue, declared)
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)

        let health = try HealthOptions.check(in: configuration)
        let healthFiles = try HealthOptions.files(in: configuration, port: address.port)

        let registry = try await HTTPRegistryClient(
            endpoints: endpoints,
            keys: keys,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "glance.api.registry")
        )
        let nodeLock = NodeLock(node: node(address))
        let service = ImageService(
            settings: settings,
            registry: registry,
            identity: identity,
            policy: policy,
            monitoring: Monitoring(metrics: metrics, health: health) {
                healthFiles.isEmpty ? nil : await fileThreads.run { healthFiles.fault() }
            },
            digestThreads: WorkerThreads(count: cores),
            holder: Holder(node: node(address), process: makeUUID()),
            isOnlyProcess: { nodeLock.acquire() },
            logger: logger
        )
        let application = HTTPService.application(
            service.responder,
            at: address,
            logger: Logger(label: "glance.api.http"),
            onRunning: { logger.notice("Listening", metadata: ["address": "\(address)"]) }
        )
        do {
            // In this order, so that leases are renewed until the last upload has ended.
            try await runServices(
                [service.leases, service.housekeeping, application],
                shutdownTimeout: shutdownTimeout,
                logger: Logger(label: "glance.api.lifecycle")
            )
        } catch {
            throw ProgramFailure(HTTPService.sentence(for: error, at: address))
        }
        await registry.shutdown()
        logger.notice("Stopped")
    }

    private func identity(
        _ configuration: ServiceConfiguration,
        _ address: ListeningAddress,
        _ policy: ImagePolicy,
        _ logger: Logger
    ) throws -> any IdentityProvider {
        let allowsAnonymous = try configuration.value(of: APIOptions.allowsAnonymous)
        switch try configuration.value(of: APIOptions.strategy) {
        case .httpBasic:
            let users = try HTPasswdFile(path: try configuration.value(of: APIOptions.userFile)) { fault in
                logger.error(
                    "The password file changed and is not usable; the last good one stays",
                    metadata: ["error": "\(fault)"]
                )
            }
            return HTTPBasicIdentity(users: users, isAdmin: policy.isAdmin(roles:), allowsAnonymous: allowsAnonymous)
        case .trustedHeaders:
            return TrustedHeadersIdentity(isAdmin: policy.isAdmin(roles:), allowsAnonymous: allowsAnonymous)
        case .noauth:
            let isForced = try configuration.value(of: APIOptions.noauthAnywhere)
            guard address.isLocal || isForced else {
                throw ProgramFailure(
                    "auth_strategy = noauth makes everybody an administrator and is served on 127.0.0.1, ::1 or a Unix "
                        + "socket only: set bind_host = 127.0.0.1, or choose http_basic"
                )
            }
            return NoAuthIdentity(
                user: try configuration.value(of: APIOptions.noauthUser),
                project: try configuration.value(of: APIOptions.noauthProject),
                roles: Set(try configuration.value(of: APIOptions.noauthRoles))
            )
        case nil:
            throw ProgramFailure("[DEFAULT] auth_strategy is not set: choose http_basic, trusted_headers or noauth")
        }
    }

    private func endpoints(_ configuration: ServiceConfiguration) throws -> [RegistryEndpoint] {
        let texts = try configuration.value(of: APIOptions.endpoints)
        guard !texts.isEmpty else { throw ProgramFailure("[registry] endpoints names no registry") }
        return try texts.map { text in
            guard let endpoint = RegistryEndpoint(text) else {
                throw ProgramFailure(
                    "[registry] endpoints: '\(text)' is not accepted: http://host:port or unix:/path is expected"
                )
            }
            return endpoint
        }
    }

    private func settings(
        _ configuration: ServiceConfiguration,
        _ catalogue: StoreCatalogue,
        _ declared: DeclaredProperties
    ) throws -> ImageAPISettings {
        var settings = ImageAPISettings(
            schema: ImageSchema(
                containerFormats: try configuration.value(of: APIOptions.containerFormats),
                diskFormats: try configuration.value(of: APIOptions.diskFormats),
                declared: declared
            ),
            limits: ImageLimits(
                tagQuota: try configuration.value(of: APIOptions.tagQuota),
                propertyQuota: try configuration.value(of: APIOptions.propertyQuota),
                memberQuota: try configuration.value(of: APIOptions.memberQuota)
            ),
            catalogue: catalogue
        )
        if var endpoint = try configuration.value(of: APIOptions.publicEndpoint) {
            while endpoint.hasSuffix("/") { endpoint.removeLast() }
            settings.publicEndpoint = endpoint
        }
        settings.believesProxyHeaders = try configuration.value(of: APIOptions.parsesProxyHeaders)
        settings.crossOrigin = try CrossOriginOptions.rules(in: configuration)
        settings.showsDirectURL = try configuration.value(of: APIOptions.showsDirectURL)
        settings.defaultPageSize = try configuration.value(of: APIOptions.defaultPageSize)
        settings.maximumPageSize = try configuration.value(of: APIOptions.maximumPageSize)
        settings.maximumRequestIDLength = try configuration.value(of: APIOptions.requestIDLength)
        settings.imageSizeCap = try configuration.value(of: APIOptions.imageSizeCap)
        settings.propertyCheck = try configuration.value(of: APIOptions.propertyCheck)
        settings.hashAlgorithm = try configuration.value(of: APIOptions.hashAlgorithm)
        return settings
    }

    /// The same for every start of this service on this machine.
    private func node(_ address: ListeningAddress) -> String {
        var name = [CChar](repeating: 0, count: 256)
        // Without a name the address alone has to do.
        gethostname(&name, name.count - 1)
        let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(host):\(address)"
    }
}

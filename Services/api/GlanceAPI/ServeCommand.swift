import ArgumentParser
import CoreMetrics
import Digests
import Hummingbird
import Identity
import ImageAPI
import ImageFormats
import ImageModel
import Logging
import NIOCore
import NodeOptions
import Policy
import PolicyHTTP
import RegistryContract
import RegistryHTTP
import ServiceKit
import ServiceLifecycle
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
        HeapSettings.keepBuffers()
        let (configuration, logger) = try files.start(
            "glance-api",
            standard: "/etc/glance/glance-api.conf",
            options: APIOptions.all
        )
        let address = try APIOptions.listening.address(in: configuration)
        let shutdownTimeout = try configuration.value(of: APIOptions.listening.shutdownTimeout)
        let policyService = try HTTPPolicyService(try PolicyOptions.serviceSettings(in: configuration))
        let protectionFile = try PropertyProtectionOptions.file(in: configuration, beside: files)
        var policySettings = try PolicyOptions.settings(in: configuration, beside: files)
        policySettings.namedRules = try protectionFile?.namedRules() ?? []
        let policy = ImagePolicy(
            files: try PolicyFiles(policySettings, logger: Logger(label: "glance.api.policy")),
            asking: policyService
        )
        let identity = try IdentityOptions.provider(configuration, address, policy, logger)
        let hop = try RegistryHop(configuration, logger: logger)
        let tls = try APIOptions.listening.tls(in: configuration, logger: logger)
        let manager = ServiceManager()
        let draining = Draining(
            delay: try configuration.value(of: APIOptions.listening.drainTime),
            manager: manager,
            logger: logger
        )
        let cores = max(2, NIOCore.System.coreCount)
        let fileThreads = WorkerThreads(count: 1)
        let catalogue = try await StoreOptions.catalogue(
            configuration,
            host: HostName.current,
            logger: logger
        )
        let declared = try SchemaFile.declaredProperties(beside: files, logger: logger)
        var settings = try settings(configuration, catalogue, declared)
        settings.isServedOverTLS = tls != nil
        settings.requiresClientCertificates = tls?.requiresClientCertificates ?? false
        settings.propertyProtections = try PropertyProtectionOptions.protections(
            of: protectionFile,
            policy: policy,
            logger: logger
        )
        let limits = try LimitOptions.keystone(in: configuration)
        if let limits {
            settings.unifiedLimits = { (project) async throws(ServiceError) in
                ProjectLimits(try await limits.limits(of: project))
            }
        }
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)

        let health = try HealthOptions.check(in: configuration)
        let readers = try APIOptions.listening.metricsReaders(in: configuration)
        let healthFiles = try HealthOptions.files(in: configuration, port: address.port)

        let registry = try await hop.connect(logger: Logger(label: "glance.api.registry"))
        let holder = Holder(node: node(address), process: makeUUID())
        // Until the program ends.
        let living = try LivingProcess(holder.process)
        defer { withExtendedLifetime(living) {} }
        let service = ImageService(
            settings: settings,
            registry: registry,
            identity: identity,
            policy: policy,
            monitoring: Monitoring(metrics: metrics, readers: readers, health: health, draining: draining) {
                healthFiles.isEmpty ? nil : await fileThreads.run { healthFiles.fault() }
            },
            digestThreads: WorkerThreads(count: cores),
            holder: holder,
            lives: LivingProcess.has,
            logger: logger
        )
        let application = HTTPService.application(
            service.responder,
            at: address,
            tls: tls,
            draining: draining,
            logger: Logger(label: "glance.api.http"),
            onRunning: {
                logger.notice("Listening", metadata: ["address": "\(address)"])
                manager.tell(.ready)
            }
        )
        do {
            // In this order, so that leases are renewed until the last upload has ended.
            try await runServices(
                [
                    service.leases, service.locationDigests, service.housekeeping,
                    Reloads(
                        manager: manager,
                        logger: logger,
                        [{ hop.reload() }, { tls?.reload() }]
                    ),
                    application, draining,
                ],
                shutdownTimeout: shutdownTimeout,
                logger: Logger(label: "glance.api.lifecycle")
            )
        } catch {
            throw ProgramFailure(HTTPService.sentence(for: error, at: address))
        }
        await registry.shutdown()
        try await identity.shutdown()
        try await limits?.shutdown()
        try await policyService.shutdown()
        logger.notice("Stopped")
    }

    private func formatRules(_ configuration: ServiceConfiguration) throws -> FormatRules {
        let tolerated = Set(try configuration.value(of: APIOptions.toleratedChecks))
        if let unknown = tolerated.subtracting(["mbr", "gptmbr"]).min() {
            let reason = "there is no rule '\(unknown)'; mbr and gptmbr are expected"
            throw configuration.refusal(of: APIOptions.toleratedChecks, because: reason)
        }
        return FormatRules(
            requiresMatch: try configuration.value(of: APIOptions.requiresFormatMatch),
            toleratedChecks: tolerated
        )
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
        if try configuration.value(of: APIOptions.delaysDeletion) {
            settings.scrubTime = Int64(try configuration.value(of: APIOptions.scrubTime))
        }
        settings.nodeURL = try configuration.value(of: APIOptions.selfReference) ?? settings.publicEndpoint
        settings.allowsStaging = try configuration.value(of: APIOptions.importMethods).contains("glance-direct")
        settings.believesProxyHeaders = try configuration.value(of: APIOptions.parsesProxyHeaders)
        settings.crossOrigin = try CrossOriginOptions.rules(in: configuration)
        settings.showsDirectURL = try configuration.value(of: APIOptions.showsDirectURL)
        settings.defaultPageSize = try configuration.value(of: APIOptions.defaultPageSize)
        settings.maximumPageSize = try configuration.value(of: APIOptions.maximumPageSize)
        settings.maximumRequestIDLength = try configuration.value(of: APIOptions.requestIDLength)
        settings.imageSizeCap = try configuration.value(of: APIOptions.imageSizeCap)
        settings.formatRules = try formatRules(configuration)
        let storageQuota = try configuration.value(of: APIOptions.storageQuota)
        settings.storageQuota = storageQuota == 0 ? nil : storageQuota
        settings.propertyCheck = try configuration.value(of: APIOptions.propertyCheck)
        settings.verifiesDownloads = try configuration.value(of: APIOptions.verifiesDownloads)
        settings.hashAlgorithm = try configuration.value(of: APIOptions.hashAlgorithm)
        settings.locationRules = LocationRules(
            areVisible: try configuration.value(of: APIOptions.showsLocations),
            quota: try configuration.value(of: APIOptions.locationQuota),
            hashAlgorithm: settings.hashAlgorithm.rawValue,
            hashByteCount: settings.hashAlgorithm.byteCount
        )
        settings.digestsLocations = try configuration.value(of: APIOptions.digestsLocations)
        settings.digestTries = try configuration.value(of: APIOptions.digestTries)
        return settings
    }

    /// The same for every start of this service on this machine.
    private func node(_ address: ListeningAddress) -> String { "\(HostName.current):\(address)" }
}

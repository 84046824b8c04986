import ArgumentParser
import CoreMetrics
import Hummingbird
import ImageModel
import ImageRegistry
import Logging
import RegistryContract
import RegistryDatabase
import ServiceKit
import ServiceLifecycle

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves the registry (the default).",
        discussion: """
            Reads oslo-style INI files; a later file wins, and OS_<SECTION>__<OPTION> in the environment wins over all.
            """
    )

    @OptionGroup var files: ConfigurationFiles

    func run() async throws {
        do {
            try await serve()
        } catch {
            exitProgram("glance-registry", because: (error as? DatabaseError)?.message ?? "\(error)")
        }
    }

    private func serve() async throws {
        let (configuration, logger) = try files.start(
            "glance-registry",
            standard: "/etc/glance/glance-registry.conf",
            options: RegistryOptions.all
        )
        let address = try RegistryOptions.listening.address(in: configuration)
        let keyFile = try configuration.value(of: RegistryOptions.keyFile)
        let keys = try FollowedFiles([keyFile], logger: logger) { try RegistryKeys(file: keyFile) }
        let tls = try RegistryOptions.listening.tls(in: configuration, logger: logger)
        let exchangeLimit = try configuration.value(of: RegistryOptions.exchangeLimit)
        let manager = ServiceManager()
        let draining = Draining(
            delay: try configuration.value(of: RegistryOptions.listening.drainTime),
            manager: manager,
            logger: logger
        )
        let uploadLease = try configuration.value(of: RegistryOptions.uploadLease)
        let sessionLease = try configuration.value(of: RegistryOptions.sessionLease)
        let listTimeout = try configuration.value(of: RegistryOptions.listTimeout)
        let readers = try RegistryOptions.listening.metricsReaders(in: configuration)
        let shutdownTimeout = try configuration.value(of: RegistryOptions.listening.shutdownTimeout)
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)

        let database = try await ConfiguredDatabase(
            configuration,
            program: "glance-registry",
            user: .service,
            logger: logger
        ).open()
        try await MigrationRunner(Migration.all).requireSuitable(database)
        let clock = RegistryClock { Timestamp.now }
        _ = try await database.read { try clock.follow($0) }
        let clocks = ClockWatch(logger: Logger(label: "glance.registry.clocks"))
        let context = RegistryContext(
            database: database,
            uploadLease: uploadLease,
            sessionLease: sessionLease,
            listTimeout: listTimeout,
            now: { clock.now },
            ownNow: { Timestamp.now }
        )
        let monitoring = Monitoring(metrics: metrics, readers: readers, draining: draining) { await database.fault() }
        let application = HTTPService.application(
            RegistryResponder(
                context: context,
                keys: { keys.current },
                exchangeLimit: exchangeLimit,
                monitoring: monitoring,
                clocks: clocks,
                logger: logger
            ),
            at: address,
            tls: tls,
            draining: draining,
            logger: Logger(label: "glance.registry.http"),
            onRunning: {
                logger.notice("Listening", metadata: ["address": "\(address)"])
                manager.tell(.ready)
            }
        )
        do {
            try await runServices(
                [
                    Housekeeping(context: context, clock: clock, clocks: clocks, logger: logger),
                    Reloads(manager: manager, logger: logger, [{ keys.reload() }, { tls?.reload() }]),
                    application, draining,
                ],
                shutdownTimeout: shutdownTimeout,
                logger: Logger(label: "glance.registry.lifecycle")
            )
        } catch {
            await database.close()
            throw ProgramFailure(HTTPService.sentence(for: error, at: address))
        }
        await database.close()
        logger.notice("Stopped")
    }
}

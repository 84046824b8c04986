import CoreMetrics
import DataUpkeep
import Glibc
import ImageModel
import Logging
import NodeOptions
import RegistryContract
import RegistryHTTP
import ServiceKit
import StoreLayer

/// What a command works with: the configuration, the registry and the stores.
struct ScrubberNode: Sendable {
    let configuration: ServiceConfiguration
    let logger: Logger
    let hop: RegistryHop
    let registry: HTTPRegistryClient
    let catalogue: StoreCatalogue
    /// The name by which the registry knows this process.
    let holder: Holder
    private let living: LivingProcess
    private let metrics: PrometheusMetrics
    private let metricsFile: String?
    /// Where the metrics are written, which may take its time.
    private let threads = WorkerThreads(count: 1)

    /// - Parameter program: What the process is: one that scrubs is not in the way of one that verifies.
    init(_ files: ConfigurationFiles, as program: String) async throws {
        var files = files
        if files.files.isEmpty {
            let standard = ["/etc/glance/glance-api.conf", "/etc/glance/glance-scrubber.conf"]
            files.files = [standard[0]] + standard.dropFirst().filter { access($0, F_OK) == 0 }
        }
        // The options of the API, whose file this mostly is, are not this program's to warn of.
        let (configuration, logger) = try files.start("glance-scrubber", standard: files.files[0], options: nil)
        self.configuration = configuration
        self.logger = logger
        hop = try RegistryHop(configuration, logger: logger)
        catalogue = try StoreOptions.existing(configuration)
        metricsFile = try configuration.value(of: ScrubberOptions.metricsFile)
        metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)
        // A registry that goes away while it is written to must not end the program.
        signal(SIGPIPE, SIG_IGN)
        registry = try await hop.connect(logger: Logger(label: "glance.scrubber.registry"))
        let node = "\(program)@\(HostName.current)"
        holder = Holder(node: node, process: makeUUID())
        living = try LivingProcess(holder.process)
        for unknown in configuration.unknownOptions(known: ScrubberOptions.all) where unknown.name.section == "scrubber"
        {
            logger.warning("\(unknown)")
        }
    }

    /// What an earlier process of this machine had taken when it died need not wait for its time to be over.
    ///
    /// - Returns: whether none of them is left.
    @discardableResult
    func releaseEarlier() async throws(RegistryError) -> Bool {
        try await EarlierProcesses(registry: registry, holder: holder, lives: LivingProcess.has).release()
    }

    /// The stores as locations name them, but for those that only read what others keep. Some locations name none: those of
    /// single-store mode, whose data is found by their URLs once there are several.
    var stores: [String] {
        guard catalogue.isMultiStore else { return [""] }
        return catalogue.entries.filter { $0.store.capabilities.contains(.delete) }.map(\.identifier) + [""]
    }

    /// Writes the metrics where they are collected, whole or not at all.
    func writeMetrics() async {
        guard let metricsFile else { return }
        let text = metrics.exposition()
        let failure = await threads.run { MetricsFile(path: metricsFile).write(text) }
        guard let failure else { return }
        logger.warning("The metrics could not be written", metadata: ["error": "\(failure)"])
    }

    /// What an operator is told.
    static func sentence(for error: any Error) -> String {
        switch error {
        case let error as StoreError: error.message
        case let error as RegistryError: error.message
        default: "\(error)"
        }
    }
}

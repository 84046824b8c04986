import Logging
import ServiceKit
import StoreFile
import StoreHTTP
import StoreLayer

/// The options of stores, and the stores they come to.
enum StoreOptions {
    static let enabled = StoreDirectoryOptions.enabled
    static let staging = StoreDirectoryOptions.staging
    static let drivers = ConfigurationOption.list(
        "glance_store",
        "stores",
        default: ["file", "http"],
        help: "Without enabled_backends: file, where images are kept, and http, from which data at locations is read."
    )
    static let standard = ConfigurationOption.optionalString(
        "glance_store",
        "default_backend",
        help: "The store that uploads go to when the caller names none; one of enabled_backends."
    )
    static let pattern = "<store>"
    static let description = ConfigurationOption.optionalString(
        pattern,
        "store_description",
        help: "What users are told of the store."
    )
    static let weight = ConfigurationOption.integer(
        pattern,
        "weight",
        default: 0,
        help: "Data is read from the heaviest store first."
    )

    static let all: [OptionDescription] =
        [
            OptionDescription(staging),
            OptionDescription(enabled), OptionDescription(drivers), OptionDescription(standard),
            OptionDescription(description),
            OptionDescription(weight),
        ]
        + ["glance_store", pattern, "backend_defaults"].flatMap { section in
            FileStoreSettings.all(in: section) + WebStoreOptions.all(in: section)
        } + WebStoreOptions.rules

    /// Opens the configured stores and tries each.
    static func catalogue(
        _ configuration: ServiceConfiguration,
        host: String,
        logger: Logger
    ) async throws -> StoreCatalogue {
        let backends = try configuration.value(of: enabled)
        guard !backends.isEmpty else {
            let store = try FileStoreSettings.store("file", configuration, "glance_store")
            try await store.prepare()
            let staging = try await stagingStore(configuration, logger)
            return StoreCatalogue(
                single: store,
                others: try otherStores(configuration),
                staging: try area(of: staging, on: host, apartFrom: [store])
            )
        }
        var entries: [StoreCatalogue.Entry] = []
        var stores: [FileStore] = []
        var staging: FileStore?
        for backend in backends {
            guard !backend.key.hasPrefix("os_glance_") else {
                throw ProgramFailure(
                    "enabled_backends: the name '\(backend.key)' is reserved; no store may begin with os_glance_"
                )
            }
            let store = try await Self.store(backend, configuration)
            if let file = store as? FileStore { stores.append(file) }
            entries.append(
                StoreCatalogue.Entry(
                    store,
                    weight: try configuration.value(of: weight.inSection(backend.key)),
                    description: try configuration.value(of: description.inSection(backend.key))
                )
            )
        }
        for reserved in StoreCatalogue.reservedIdentifiers.sorted() {
            if let store = try await reservedStore(reserved, configuration, logger) {
                entries.append(StoreCatalogue.Entry(store))
                if reserved == StagingArea.identifier { staging = store }
            }
        }
        guard let standard = try configuration.value(of: standard) else {
            throw ProgramFailure("[glance_store] 'default_backend' config option is not set.")
        }
        return try StoreCatalogue(
            entries,
            defaultIdentifier: standard,
            isMultiStore: true,
            staging: try area(of: staging, on: host, apartFrom: stores)
        )
    }

    /// What is staged may not get in the way of images: both are files named after an image's id.
    private static func area(of staging: FileStore?, on host: String, apartFrom stores: [FileStore]) throws
        -> StagingArea?
    {
        guard let staging, let directory = staging.options.directories.first?.path else { return nil }
        guard !stores.contains(where: { $0.options.directories.contains { $0.path == directory } }) else {
            throw ProgramFailure("\(directory) cannot be a store's directory and the staging directory at once")
        }
        return StagingArea(staging, host: host, directory: directory)
    }

    /// The staging directory of a configuration without `enabled_backends`.
    private static func stagingStore(
        _ configuration: ServiceConfiguration,
        _ logger: Logger
    ) async throws -> FileStore? {
        let uri = try configuration.value(of: staging)
        // Whatever is wrong with the path, the refusal says what is expected.
        guard uri.hasPrefix("file:///"), let directory = try? DataDirectory(String(uri.dropFirst("file://".count)))
        else {
            throw configuration.refusal(of: staging, because: "a file:// URI with the path of a directory is expected")
        }
        return try await prepared(
            FileStore(
                StagingArea.identifier,
                FileStoreOptions(directories: [directory]),
                threads: WorkerThreads(count: FileStoreSettings.threadCount.defaultValue)
            ),
            isConfigured: configuration.isSet(staging),
            logger
        )
    }

    private static func store(
        _ backend: OptionPair,
        _ configuration: ServiceConfiguration
    ) async throws -> any Store {
        switch backend.value {
        case "file":
            let store = try FileStoreSettings.store(backend.key, configuration, backend.key)
            try await store.prepare()
            return store
        case "http":
            return HTTPStore(backend.key, fetcher: try WebStoreOptions.fetcher(configuration, backend.key))
        default:
            throw ProgramFailure(
                "enabled_backends: the driver '\(backend.value)' of store '\(backend.key)' is not supported; use file or http"
            )
        }
    }

    /// The stores beside the one of a configuration without `enabled_backends`.
    private static func otherStores(_ configuration: ServiceConfiguration) throws -> [any Store] {
        let names = Set(try configuration.value(of: drivers))
        for name in names.sorted() where !["file", "http"].contains(name) {
            throw ProgramFailure("[glance_store] stores: '\(name)' is not supported; use file and http")
        }
        guard names.contains("file") else {
            throw ProgramFailure("[glance_store] stores must name file, for that is where uploads go")
        }
        guard names.contains("http") else { return [] }
        return [HTTPStore("http", fetcher: try WebStoreOptions.fetcher(configuration, "glance_store"))]
    }

    /// A store for data in transit. One that nobody configured may be missing: what needs it will say so.
    private static func reservedStore(
        _ identifier: String,
        _ configuration: ServiceConfiguration,
        _ logger: Logger
    ) async throws -> FileStore? {
        let directory = FileStoreSettings.directory.inSection(identifier)
        let isConfigured = configuration.isSet(directory)
        let path = try StoreDirectoryOptions.reservedDirectory(identifier, in: configuration)
        return try await prepared(
            FileStore(
                identifier,
                FileStoreOptions(directories: [try DataDirectory(path)]),
                threads: WorkerThreads(count: FileStoreSettings.threadCount.defaultValue)
            ),
            isConfigured: isConfigured,
            logger
        )
    }

    private static func prepared(_ store: FileStore, isConfigured: Bool, _ logger: Logger) async throws -> FileStore? {
        do {
            try await store.prepare()
            return store
        } catch {
            guard !isConfigured else { throw error }
            logger.warning(
                "The store is not available",
                metadata: ["store": "\(store.identifier)", "error": "\(error)"]
            )
            return nil
        }
    }
}

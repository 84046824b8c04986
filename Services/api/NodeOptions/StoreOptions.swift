public import Logging
public import ServiceKit
internal import StoreFile
internal import StoreHTTP
public import StoreLayer

/// The options of stores, and the stores they come to.
public enum StoreOptions {
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

    public static let all: [OptionDescription] = [OptionDescription(staging)] + stores

    /// The options of the stores that keep images.
    public static let stores: [OptionDescription] =
        [
            OptionDescription(enabled), OptionDescription(drivers), OptionDescription(standard),
            OptionDescription(description),
            OptionDescription(weight),
        ]
        + ["glance_store", pattern, "backend_defaults"].flatMap { section in
            FileStoreSettings.all(in: section) + WebStoreOptions.all(in: section)
        } + WebStoreOptions.rules

    /// Opens the configured stores, makes what is missing of them, and tries each.
    public static func catalogue(
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
            let store = try Self.store(backend, configuration)
            if let file = store as? FileStore {
                try await file.prepare()
                stores.append(file)
            }
            entries.append(try entry(store, configuration))
        }
        for reserved in StoreCatalogue.reservedIdentifiers.sorted() {
            if let store = try await reservedStore(reserved, configuration, logger) {
                entries.append(StoreCatalogue.Entry(store))
                if reserved == StagingArea.identifier { staging = store }
            }
        }
        return try StoreCatalogue(
            entries,
            defaultIdentifier: try defaultIdentifier(configuration),
            isMultiStore: true,
            staging: try area(of: staging, on: host, apartFrom: stores)
        )
    }

    /// The configured stores as they are, for a tool beside the API. Nothing is made or tried: a directory that is not
    /// mounted must not be taken for an empty one. Data in transit has no part in it.
    public static func existing(_ configuration: ServiceConfiguration) throws -> StoreCatalogue {
        let backends = try configuration.value(of: enabled)
        guard !backends.isEmpty else {
            return StoreCatalogue(
                single: try FileStoreSettings.store("file", configuration, "glance_store"),
                others: try otherStores(configuration)
            )
        }
        return try StoreCatalogue(
            try backends.map { try entry(try store($0, configuration), configuration) },
            defaultIdentifier: try defaultIdentifier(configuration),
            isMultiStore: true
        )
    }

    private static func entry(
        _ store: any Store,
        _ configuration: ServiceConfiguration
    ) throws -> StoreCatalogue.Entry {
        StoreCatalogue.Entry(
            store,
            weight: try configuration.value(of: weight.inSection(store.identifier)),
            description: try configuration.value(of: description.inSection(store.identifier))
        )
    }

    private static func defaultIdentifier(_ configuration: ServiceConfiguration) throws -> String {
        guard let identifier = try configuration.value(of: standard) else {
            throw ProgramFailure("[glance_store] 'default_backend' config option is not set.")
        }
        return identifier
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
    ) throws -> any Store {
        guard !backend.key.hasPrefix("os_glance_") else {
            throw ProgramFailure(
                "enabled_backends: the name '\(backend.key)' is reserved; no store may begin with os_glance_"
            )
        }
        switch backend.value {
        case "file":
            return try FileStoreSettings.store(backend.key, configuration, backend.key)
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

internal import ServiceKit
internal import StoreFile
internal import StoreLayer

/// The options of a store that keeps files, in its section or in `[backend_defaults]`.
enum FileStoreSettings {
    static let directory = StoreDirectoryOptions.directory
    static let directories = StoreDirectoryOptions.directories
    static let permissions = ConfigurationOption.integer(
        "glance_store",
        "filesystem_store_file_perm",
        default: 0,
        help: "Mode of image files in octal digits; 0 leaves it to the umask. Also in the section of a store."
    )
    static let chunkByteCount = ConfigurationOption.integer(
        "glance_store",
        "filesystem_store_chunk_size",
        default: 65_536,
        in: 1...(1 << 26),
        help: "Length in bytes of the blocks that may become holes. Also in the section of a store."
    )
    static let isThin = ConfigurationOption.boolean(
        "glance_store",
        "filesystem_thin_provisioning",
        default: false,
        help: "Blocks of zeros become holes, but for resumable uploads, whose bytes may be replaced until they end. "
            + "Also in the section of a store."
    )

    static let metadataFile = ConfigurationOption.optionalString(
        "glance_store",
        "filesystem_store_metadata_file",
        help:
            "JSON file with id and mountpoint of file systems that other services mount too, an object or an array of "
            + "them: metadata of the locations below. Read at the start. Also in the section of a store."
    )
    static let timeout = ConfigurationOption.integer(
        "glance_store",
        "filesystem_store_timeout",
        default: 60,
        in: 0...86_400,
        help:
            "Seconds that a call to the file system may take before the store counts as not answering, ten times as long "
            + "where data is made durable; 0 waits for ever. Also in the section of a store."
    )
    static let threadCount = ConfigurationOption.integer(
        "glance_store",
        "filesystem_store_thread_pool_size",
        default: 10,
        in: 1...256,
        help: "Threads on which the store's calls to the file system wait. Also in the section of a store."
    )

    static func all(in section: String) -> [OptionDescription] {
        [
            OptionDescription(directory.inSection(section)), OptionDescription(directories.inSection(section)),
            OptionDescription(permissions.inSection(section)), OptionDescription(chunkByteCount.inSection(section)),
            OptionDescription(isThin.inSection(section)), OptionDescription(metadataFile.inSection(section)),
            OptionDescription(timeout.inSection(section)), OptionDescription(threadCount.inSection(section)),
        ]
    }

    /// A store with threads of its own, so that one whose file system hangs holds up no other.
    static func store(
        _ identifier: String,
        _ configuration: ServiceConfiguration,
        _ section: String
    ) throws -> FileStore {
        let several = try configuration.value(of: directories, ofStore: section)
        let own = directory.inSection(section)
        // Set to nothing is not set, as in glance_store.
        let isSingleSet = try configuration.isSet(own) && !configuration.value(of: own).isEmpty
        guard several.isEmpty || !isSingleSet else {
            throw ProgramFailure(
                "[\(section)]: filesystem_store_datadir and filesystem_store_datadirs exclude each other; set one of them"
            )
        }
        let single = try configuration.value(of: directory, ofStore: section)
        var options = FileStoreOptions(
            directories: several.isEmpty ? [try DataDirectory(single)] : try DataDirectory.list(several)
        )
        options.permissions = try FileStoreOptions.permissions(
            decimal: try configuration.value(of: permissions, ofStore: section)
        )
        options.blockByteCount = try configuration.value(of: chunkByteCount, ofStore: section)
        options.isThin = try configuration.value(of: isThin, ofStore: section)
        let seconds = try configuration.value(of: timeout, ofStore: section)
        options.timeLimit = seconds == 0 ? nil : .seconds(seconds)
        if let path = try configuration.value(of: metadataFile, ofStore: section) {
            options.mountPoints = try MountPoints(parsing: try WholeFile.bytes(of: path))
        }
        return FileStore(
            identifier,
            options,
            threads: WorkerThreads(count: try configuration.value(of: threadCount, ofStore: section))
        )
    }
}

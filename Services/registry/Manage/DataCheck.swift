import RegistryDatabase
import ServiceKit
import StoreLayout

/// Compares the records with the files of the stores, while services run or not. Reads both sides some hundred at a time,
/// whatever their number, and changes neither.
///
/// What services do meanwhile is not mistaken for a fault: a record comes before its data and goes after it. Data without
/// a record is therefore one that was there before and after it was looked for among the records in vain; a location
/// without data is one that is still expected to have some after it was found to have none.
struct DataCheck {
    /// What was looked at, and what was found.
    struct Summary {
        var locations = 0
        var files = 0
        /// Locations, or images, whose data is not there as it should be.
        var lacking = 0
        /// Data of which no record tells.
        var unrecorded = 0
        /// Locations that this machine cannot judge: on the web, or staged on another node.
        var elsewhere = 0
    }

    let database: any Database
    let places: [StorePlace]
    /// Whose staging directory it is.
    let host: String
    let progress: Progress
    /// Told of each finding, a line.
    let report: (String) -> Void
    private(set) var summary = Summary()

    init(
        _ database: any Database,
        _ places: [StorePlace],
        host: String,
        progress: Progress,
        report: @escaping (String) -> Void
    ) {
        self.database = database
        self.places = places
        self.host = host
        self.progress = progress
        self.report = report
    }

    mutating func run() async throws {
        try await checkLocations()
        try await checkImages()
        for place in places {
            try await checkFiles(of: place)
            try await checkAttempts(of: place)
        }
    }

    // MARK: Records

    private mutating func checkLocations() async throws {
        var last: Int64 = 0
        while true {
            let behind = last
            let page = try await database.read { try LocationAudit($0).entries(after: behind, limit: 500) }
            guard let end = page.last else { return }
            last = end.id
            for entry in page { try await check(entry) }
            summary.locations += page.count
            progress.say("\(summary.locations) locations compared")
        }
    }

    private mutating func check(_ entry: LocationAudit.Entry) async throws {
        guard entry.isExpected else { return }
        guard let (directory, object) = FileNames.file(entry.url), isOurs(entry.store) else {
            summary.elsewhere += 1
            return
        }
        let staged = StagingName.isRecorded(entry.store)
        guard places.contains(where: { $0.path == directory && $0.isStaging == staged }) else {
            return try await lack(entry, "no configured store has this directory")
        }
        guard let file = try FileFacts.of("\(directory)/\(object)"), file.kind == .file else {
            return try await lack(entry, "no data")
        }
        // The size of staged data may be that of another upload by now.
        if let size = entry.size, size != file.byteCount, !staged {
            try await lack(entry, "\(file.byteCount) bytes instead of \(size)")
        }
    }

    /// Staged data of other nodes is theirs to look for.
    private func isOurs(_ store: String) -> Bool {
        guard StagingName.isRecorded(store) else { return true }
        return places.contains { $0.isStaging && StagingName.recorded(host: host, directory: $0.path) == store }
    }

    private mutating func lack(_ entry: LocationAudit.Entry, _ what: String) async throws {
        guard try await database.read({ try LocationAudit($0).isExpected(entry.id) }) else { return }
        summary.lacking += 1
        report("lacking \(entry.image) \(entry.url): \(what)")
    }

    private mutating func checkImages() async throws {
        var last = ""
        var count = 0
        while true {
            let behind = last
            let page = try await database.read { try LocationAudit($0).images(after: behind, limit: 1_000) }
            guard let end = page.last else { return }
            last = end.id
            for image in page where image.lacksLocation {
                summary.lacking += 1
                report("lacking \(image.id): no location")
            }
            count += page.count
            progress.say("\(count) images compared")
        }
    }

    // MARK: Files

    private mutating func checkFiles(of place: StorePlace) async throws {
        let directory = try DirectoryNames(place.path)
        while true {
            let names = try directory.next(500)
            if names.isEmpty { return }
            // What begins with a dot is the store's own, or the file system's.
            let objects = names.filter(FileNames.isObject)
            let urls = objects.map { "file://\(place.path)/\($0)" }
            let recorded = try await database.read { try LocationAudit($0).recorded(urls: urls) }
            for (object, url) in zip(objects, urls) where !recorded.contains(url) {
                try await check(object, in: place)
            }
            summary.files += objects.count
            progress.say("\(summary.files) files compared, in \(place.path)")
        }
    }

    private mutating func check(_ object: String, in place: StorePlace) async throws {
        let path = "\(place.path)/\(object)"
        guard let before = try FileFacts.of(path) else { return }
        guard before.kind == .file else {
            // The root of a file system has it of its own.
            if object != "lost+found" || before.kind != .directory { unrecorded(path, before) }
            return
        }
        let urls = try await database.read { connection in
            let audit = LocationAudit(connection)
            return try Array(audit.recorded(urls: ["file://\(path)"])) + audit.urls(of: object)
        }
        let isRecorded = urls.contains { FileNames.file($0).map { $0 == (place.path, object) } ?? false }
        guard !isRecorded, try FileFacts.of(path) == before else { return }
        unrecorded(path, before)
    }

    private mutating func checkAttempts(of place: StorePlace) async throws {
        let folder = "\(place.path)/\(FileNames.uploads)"
        let directory = try DirectoryNames(folder)
        while true {
            let names = try directory.next(500)
            if names.isEmpty { return }
            for name in names { try await check(attempt: name, in: folder) }
            progress.say("\(summary.files) files compared, in \(folder)")
        }
    }

    private mutating func check(attempt name: String, in folder: String) async throws {
        let isTrial = name.hasPrefix(".probe-")
        let path = "\(folder)/\(name)"
        guard !isTrial, let before = try FileFacts.of(path) else { return }
        guard before.kind == .file else { return unrecorded(path, before) }
        summary.files += 1
        if let attempt = FileNames.attempt(name.hasPrefix(".") ? String(name.dropFirst()) : name)?.attempt {
            let recorded = try await database.read { try LocationAudit($0).recorded(attempts: [attempt]) }
            guard recorded.isEmpty else { return }
        }
        guard try FileFacts.of(path) == before else { return }
        unrecorded(path, before)
    }

    private mutating func unrecorded(_ path: String, _ file: FileFacts) {
        summary.unrecorded += 1
        let what =
            switch file.kind {
            case .file: "\(file.byteCount) bytes"
            case .directory: "a directory, not looked into"
            case .link: "a symbolic link, not followed"
            case .other: "no file"
            }
        report("unrecorded \(path.escapedForOneLine): \(what)")
    }
}

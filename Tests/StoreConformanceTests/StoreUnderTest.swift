import Glibc
import StoreFile
import StoreLayer
import Synchronization
import Testing

/// A kind of store, put through the whole contract. A new driver joins by a line in ``all``.
struct StoreUnderTest: Sendable, CustomTestStringConvertible {
    let testDescription: String
    private let run: @Sendable (_ test: Test) async throws -> Void

    /// - Parameter names: Everything that the store keeps, under whatever names it gives it.
    typealias Test = @Sendable (_ store: any Store, _ names: @Sendable () -> [String]) async throws -> Void

    /// Gives an empty store, and removes it afterwards.
    func withStore(_ test: @escaping Test) async throws { try await run(test) }

    static let all = [file, thinFile, severalDirectories, memory, multipart, slowMultipart, served]

    static let file = StoreUnderTest(testDescription: "file") { test in
        try await withFileStore { store, directory in try await test(store, { directory.names }) }
    }

    static let thinFile = StoreUnderTest(testDescription: "file, thin") { test in
        try await withFileStore({ $0.isThin = true }) { store, directory in try await test(store, { directory.names }) }
    }

    static let severalDirectories = StoreUnderTest(testDescription: "file, several directories") { test in
        try await withFileStore(directoryCount: 3) { store, directory in try await test(store, { directory.names }) }
    }

    static let memory = StoreUnderTest(testDescription: "memory") { test in
        let store = MemoryStore("memory")
        try await test(store, { store.names })
    }

    static let multipart = StoreUnderTest(testDescription: "multipart") { test in
        var store = MultipartStore("multipart")
        store.partByteCount = 65_536
        try await test(store, { [store] in store.server.names })
    }

    static let slowMultipart = StoreUnderTest(testDescription: "multipart, slow") { test in
        var store = MultipartStore("multipart")
        store.partByteCount = 400_000
        store.server.plan(.takes(.milliseconds(3)))
        try await test(store, { [store] in store.server.names })
    }

    static let served = StoreUnderTest(testDescription: "read by HTTP") { test in
        try await ServedStore.with { store in try await test(store, { store.memory.names }) }
    }
}

/// A file store in a directory of its own, ready for use.
func withFileStore(
    _ change: (inout FileStoreOptions) -> Void = { _ in },
    directoryCount: Int = 1,
    _ test: (_ store: FileStore, _ directory: TemporaryDirectory) async throws -> Void
) async throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let paths = directoryCount == 1 ? ["images"] : (0..<directoryCount).map { "images\($0)" }
    let directories = try paths.enumerated().map { try DataDirectory("\(directory.path)/\($1)", priority: $0) }
    var options = FileStoreOptions(directories: directories)
    // A machine that stands still holds every lock for as long.
    options.lockPatience = .seconds(120)
    change(&options)
    let store = FileStore("files", options, threads: WorkerThreads(count: 4))
    try await store.prepare()
    try await test(store, directory)
}

extension FileStore {
    /// Opens an upload's data again as soon as whoever had it before in this process has let go of it.
    func resumed(_ location: IntendedLocation) async throws -> any PartialData {
        for _ in 0..<120 {
            do {
                return try await resumePartial(location)
            } catch {
                guard error.code == .inUse else { throw error }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        return try await resumePartial(location)
    }
}

/// A directory that a test has for itself.
struct TemporaryDirectory: Sendable {
    let path: String

    struct Failure: Error {}

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/glance-stores-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure() }
        path = template.withUnsafeBufferPointer { buffer in
            String(decoding: buffer.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// The files below it, by paths that start here.
    var names: [String] { Self.files(in: path).map { String($0.dropFirst(path.utf8.count + 1)) }.sorted() }

    func remove() { Self.remove(path) }

    private static func entries(of path: String) -> [(path: String, isDirectory: Bool)] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var entries: [(path: String, isDirectory: Bool)] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            var status = stat()
            lstat("\(path)/\(name)", &status)
            entries.append(("\(path)/\(name)", status.st_mode & S_IFMT == S_IFDIR))
        }
        return entries
    }

    private static func files(in path: String) -> [String] {
        entries(of: path).flatMap { $0.isDirectory ? files(in: $0.path) : [$0.path] }
    }

    private static func remove(_ path: String) {
        for entry in entries(of: path) {
            if entry.isDirectory { remove(entry.path) } else { unlink(entry.path) }
        }
        rmdir(path)
    }
}

import CoreMetrics
import Foundation
import Hummingbird
import ImageModel
import ImageRegistry
import Logging
import NIOCore
import NIOPosix
import RegistryContract
import RegistryDatabase
import RegistryHTTP
import ServiceKit
import ServiceLifecycle
import Synchronization
import Testing

/// A registry with a database of its own, served and stopped as often as a test likes.
struct RegistryUnderTest: Sendable {
    static let oldKey = RegistryKeys.Key(id: "old", secret: [UInt8](repeating: 1, count: 32))
    static let newKey = RegistryKeys.Key(id: "new", secret: [UInt8](repeating: 2, count: 32))

    let database: any Database
    var exchangeLimit = 1_024
    var tls: TLSContext?
    var draining: Draining?
    var keys = RegistryKeys([oldKey])
    var now: @Sendable () -> Timestamp = { Timestamp.now }
    var listTimeout = Duration.seconds(3)
    var metrics = PrometheusMetrics()
    var clockLogger = Logger.silent
    /// Of the database's folder; sockets go there too.
    let folder: String

    /// Makes an empty, migrated database, closes it after, and removes it.
    static func withDatabase(_ body: (RegistryUnderTest) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "registry-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer {
            // What cannot be removed is litter in the temporary folder, not a failure.
            try? FileManager.default.removeItem(at: folder)
        }
        let limits = DatabaseLimits(patience: .seconds(300))
        let database = try SQLiteDatabase(path: folder.path + "/registry.db", readers: 1, limits: limits)
        try await MigrationRunner(Migration.all).sync(database)
        do {
            try await body(RegistryUnderTest(database: database, folder: folder.path))
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    /// Serves an empty registry at a free port while `body` runs.
    static func served(_ body: (RegistryUnderTest, _ port: Int) async throws -> Void) async throws {
        try await withDatabase { registry in
            let port = FreePort.next()
            try await registry.serve(at: .tcp(host: "127.0.0.1", port: port)) { try await body(registry, port) }
        }
    }

    /// Listens while `body` runs, then stops as a service does that was asked to.
    @discardableResult
    func serve<Value: Sendable>(
        at address: ListeningAddress,
        _ body: () async throws -> Value
    ) async throws -> Value {
        let (running, continuation) = AsyncStream.makeStream(of: Void.self)
        var context = RegistryContext(database: database, uploadLease: .seconds(60), listTimeout: listTimeout, now: now)
        context.deletionClaim = .seconds(60)
        let keys = keys
        let application = HTTPService.application(
            RegistryResponder(
                context: context,
                keys: { keys },
                exchangeLimit: exchangeLimit,
                monitoring: Monitoring(metrics: PrometheusMetrics(), draining: draining) { nil },
                clocks: ClockWatch(logger: clockLogger, interval: .seconds(3_600), metrics: metrics),
                logger: .silent
            ),
            at: address,
            tls: tls,
            draining: draining,
            logger: .silent,
            onRunning: { continuation.finish() }
        )
        let services: [any Service] = [application] + (draining.map { [$0] } ?? [])
        let group = ServiceGroup(services: services, logger: .silent)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                // A server that cannot start must not be waited for.
                defer { continuation.finish() }
                try await group.run()
            }
            for await _ in running {}
            let result: Result<Value, any Error>
            do {
                result = .success(try await body())
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    /// Keeps the one thread that writes busy until the end of `body`.
    func withHeldWriter(_ body: () async throws -> Void) async throws {
        let (reached, arrival) = AsyncStream.makeStream(of: Void.self)
        let opened = DispatchSemaphore(value: 0)
        async let holding: Void = database.write { _ in
            arrival.finish()
            _ = opened.wait(timeout: .now() + 300)
        }
        for await _ in reached {}
        let result: Result<Void, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        opened.signal()
        try await holding
        try result.get()
    }

    /// How many records there are: of one id, or in all.
    func count(_ id: ImageID? = nil) async throws -> Int64 {
        let counts = try await database.read { connection in
            try connection.query(
                "SELECT count(*) FROM images WHERE id = ? OR ?",
                [.text(id?.text ?? ""), .integer(id == nil ? 1 : 0)],
                { $0.integer(0) }
            )
        }
        return try #require(counts.first)
    }
}

/// Makes a client on one event loop, so that each of its calls finds the connections of the one before.
@discardableResult
func withClient<Value: Sendable>(
    _ endpoints: [RegistryEndpoint],
    keys: RegistryKeys = RegistryKeys([RegistryUnderTest.oldKey]),
    limits: RegistryConnectionLimits = RegistryConnectionLimits(),
    patience: RegistryPatience = .ample,
    tls: TLSContext? = nil,
    metrics: any MetricsFactory = NOOPMetricsHandler.instance,
    _ body: (HTTPRegistryClient) async throws -> Value
) async throws -> Value {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let client = try await HTTPRegistryClient(
        endpoints: endpoints,
        keys: { keys },
        limits: limits,
        patience: patience,
        tls: tls,
        group: group,
        logger: .silent,
        metrics: metrics
    )
    let result: Result<Value, any Error>
    do {
        result = .success(try await body(client))
    } catch {
        result = .failure(error)
    }
    await client.shutdown()
    try await group.shutdownGracefully()
    return try result.get()
}

@discardableResult
func withClient<Value: Sendable>(
    port: Int,
    keys: RegistryKeys = RegistryKeys([RegistryUnderTest.oldKey]),
    _ body: (HTTPRegistryClient) async throws -> Value
) async throws -> Value {
    try await withClient([.tcp(host: "127.0.0.1", port: port)], keys: keys, body)
}

extension RegistryPatience {
    /// Far more than any machine takes for an exchange, of which each may have half.
    static let ample = RegistryPatience(reads: .seconds(120), writes: .seconds(240))
}

extension HTTPRegistryClient {
    /// A call in the name of ``Caller/tester``.
    func call<Operation: RegistryOperation>(_ operation: Operation) async throws(RegistryError) -> Operation.Response {
        try await call(operation, as: .tester, requestID: "req-1")
    }
}

extension Caller {
    static let tester = Caller(user: "u1", project: "p1", roles: ["member"])
}

extension Image {
    /// A new image of ``Caller/tester``'s project, with enough properties to be written in many orders.
    static func sample(_ name: String = "sample") -> Image {
        guard let id = ImageID(makeUUID()) else { preconditionFailure("a UUID is an id") }
        let properties = ["os_distro": "debian", "os_version": "12", "architecture": "x86_64", "hw_disk_bus": "scsi"]
        return Image(id: id, name: name, owner: "p1", tags: ["t"], properties: properties)
    }
}

extension Logger {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// Ports below those that any system gives to clients, each given once.
enum FreePort {
    private static let range = 10_000...15_400
    private static let last = Mutex(Int.random(in: range))

    static func next() -> Int {
        last.withLock { last in
            repeat { last = last < range.upperBound ? last + 1 : range.lowerBound } while !isFree(last)
            return last
        }
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

import Digests
import ImageModel
import NIOCore
import RegistryContract
import StoreLayer
import Synchronization
import Testing

@testable import ImageAPI

/// What requests do at once with a session that a process has open.
@Suite("Live upload")
struct LiveUploadTests {
    private static let patience = Duration.seconds(60)

    private func upload(_ registry: SessionRegistry, lease: Duration) throws -> LiveUpload {
        LiveUpload(
            image: try #require(ImageID("11111111-1111-4111-8111-111111111111")),
            location: IntendedLocation(url: "stub://only/x", object: "x", attempt: "a"),
            store: PartialStore(),
            data: ResumableUpload(
                PartialBytes([UInt8](repeating: 0, count: 100)),
                multihash: .sha512,
                threads: WorkerThreads(count: 1)
            ),
            lease: LiveUpload.Lease(requestedAt: .now, duration: lease),
            registry: registry,
            holder: Holder(node: "n", process: "p"),
            patience: .seconds(600)
        )
    }

    private func wait(_ comment: Comment, until condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while !condition() {
            try #require(ContinuousClock.now < deadline, comment)
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    // MARK: Time

    @Test("a session lives on while bytes come, however slowly, and ends when none does", arguments: [false, true])
    func renewal(_ isChecked: Bool) async throws {
        let registry = SessionRegistry(lease: SessionLease(leaseSeconds: 1, expiresAt: Timestamp(microseconds: 1)))
        let upload = try upload(registry, lease: .seconds(1))
        let (body, client) = AsyncThrowingStream<ByteBuffer, any Error>.makeStream()
        let checksum = isChecked ? (DigestAlgorithm.md5, Digest.of(Array("xxx".utf8), .md5)) : nil
        let request = Task {
            try await upload.append(0) {
                try await upload.keepingAlive(
                    requestID: "req-1",
                    whenever: { moment in upload.data.lastArrival.map { $0 > moment } ?? false }
                ) {
                    try await upload.data.append(body, to: 0..<10, checksum: checksum) {
                        Issue.record("there is no checkpoint in three bytes")
                    }
                }
            }
        }
        for round in 1...3 {
            client.yield(ByteBuffer(string: "x"))
            try await wait("renewal \(round)") { registry.operations.count >= round }
        }
        // One may still be due to the last byte, if it was taken late.
        let count = registry.operations.count
        try await Task.sleep(for: .milliseconds(1_200))
        #expect(registry.operations.count <= count + 1, "nothing comes")
        client.finish()
        try await request.value
        #expect(upload.data.received.ranges == [0..<3])
        #expect(Set(registry.operations) == ["sessions.record"])
    }

    @Test("work on a session keeps it alive until it is done")
    func work() async throws {
        let registry = SessionRegistry(lease: SessionLease(leaseSeconds: 1, expiresAt: Timestamp(microseconds: 1)))
        let upload = try upload(registry, lease: .zero)
        try await upload.requireHeld(requestID: "req-1")
        try await upload.keepingAlive(requestID: "req-1", whenever: { _ in true }) {
            try await wait("renewals") { registry.operations.count >= 3 }
        }
    }

    // MARK: Ends

    /// A request that brings bytes until it is told to stop, and takes its time then.
    private final class Sender: Sendable {
        private let state = Mutex((hasBegun: false, mayEnd: false))

        var hasBegun: Bool { state.withLock { $0.hasBegun } }

        func letEnd() { state.withLock { $0.mayEnd = true } }

        func run() async {
            state.withLock { $0.hasBegun = true }
            // Its task is cancelled, so that it cannot sleep.
            while !state.withLock({ $0.mayEnd }) {
                await Task { try? await Task.sleep(for: .milliseconds(5)) }.value
            }
        }
    }

    private final class Journal: Sendable {
        private let lines = Mutex<[String]>([])

        var order: [String] { lines.withLock { $0 } }

        func note(_ line: String) { lines.withLock { $0.append(line) } }
    }

    @Test("an upload is finished when nobody brings bytes any more, and nobody does from then on")
    func finishing() async throws {
        let upload = try upload(SessionRegistry(), lease: .seconds(3_600))
        let sender = Sender()
        let journal = Journal()
        let request = Task {
            try await upload.append(2) {
                await sender.run()
                journal.note("sent")
            }
        }
        try await wait("the request has begun") { sender.hasBegun }
        let end = Task { try await upload.finish { journal.note("finished") } }
        // Other parts are refused from the moment on at which somebody finishes.
        var refusal: ServiceError?
        let deadline = ContinuousClock.now + Self.patience
        while refusal == nil {
            try #require(ContinuousClock.now < deadline)
            do { try await upload.append(3) {} } catch let error as ServiceError { refusal = error }
        }
        #expect(refusal?.code == .conflict)
        let other = Task { try await upload.finish { Issue.record("finished twice") } }
        #expect(journal.order == [], "it waits")
        sender.letEnd()
        #expect(try await end.value)
        #expect(try await !other.value)
        #expect(journal.order == ["sent", "finished"])
        // What the request did was done to its end: it is told so, or that another one came first.
        _ = await request.result
        let late = await #expect(throws: ServiceError.self) { try await upload.append(3) {} }
        #expect(late?.code == .gone)
        #expect(try await !upload.finish { Issue.record("finished twice") })
    }

    @Test("an upload whose end failed takes bytes again")
    func failure() async throws {
        let upload = try upload(SessionRegistry(), lease: .seconds(3_600))
        let error = await #expect(throws: ServiceError.self) {
            _ = try await upload.finish { throw ServiceError(.unavailable, "The store is away") }
        }
        #expect(error?.code == .unavailable)
        try await upload.append(0) {}
        #expect(try await upload.finish {})
    }

    @Test("a request whose session ends is told that, and not that its body broke")
    func over() async throws {
        let upload = try upload(SessionRegistry(), lease: .seconds(3_600))
        let begun = Mutex(false)
        let request = Task {
            try await upload.append(0) {
                begun.withLock { $0 = true }
                try await Task.sleep(for: .seconds(600))
            }
        }
        try await wait("the request has begun") { begun.withLock { $0 } }
        upload.interrupt(isOver: true)
        let error = await #expect(throws: ServiceError.self) { try await request.value }
        #expect(error?.code == .gone)
    }
}

import DataUpkeep
import Digests
import ImageFormats
import ImageModel
import Logging
import RegistryContract
import StoreLayer
import Synchronization
import Testing

@testable import ImageAPI

/// The end of an upload that came in several requests, where the data is refused or the registry knows nothing of it.
@Suite("Ending a resumable upload")
struct UploadEndingTests {
    private static let owner = Caller(user: "o", project: "p", roles: ["member", "reader"])
    private static let bytes = Array("no disk at all".utf8)

    private struct Ended {
        var error: ServiceError?
        var operations: [String]
        var discarded: [String]
        var logged: [String]
    }

    private func end(as diskFormat: String, _ registry: SessionRegistry) async throws -> Ended {
        let id = try #require(ImageID("11111111-1111-4111-8111-111111111111"))
        let image = Image(id: id, status: .saving, owner: "p", containerFormat: "bare", diskFormat: diskFormat)
        let messages = Messages()
        let logger = Logger(label: "test") { _ in Messages.Handler(messages: messages) }
        let store = PartialStore()
        let location = IntendedLocation(url: "stub://only/x", object: id.text, attempt: "a")
        let upload = LiveUpload(
            image: id,
            location: location,
            store: store,
            data: ResumableUpload(
                PartialBytes(Self.bytes),
                received: ByteRanges([0..<Int64(Self.bytes.count)]),
                multihash: .sha512,
                threads: WorkerThreads(count: 1)
            ),
            lease: LiveUpload.Lease(requestedAt: .now, duration: .zero),
            registry: registry,
            holder: Holder(node: "n", process: "p")
        )
        let session = UploadSessionRecord(
            image: image,
            attempt: "a",
            node: "n",
            store: nil,
            url: location.url,
            terms: UploadSessionTerms(isParallel: false, metadata: nil, digests: [:]),
            parts: [0..<Int64(Self.bytes.count)],
            received: [0..<Int64(Self.bytes.count)],
            isFinished: false,
            lease: SessionRegistry.lease
        )
        let data = DataDeletion(registry: registry, catalogue: StoreCatalogue(single: store), logger: logger)
        let ending = UploadEnding(
            registry: registry,
            hashAlgorithm: .sha512,
            inspection: ContentInspection(rules: FormatRules(), logger: logger),
            attempts: UploadAttempts(
                registry: registry,
                leases: UploadLeases(registry: registry, holder: Holder(node: "n", process: "p"), logger: logger),
                data: data,
                logger: logger
            ),
            live: LiveUploads(registry: registry, logger: logger),
            logger: logger
        )
        var error: ServiceError?
        do {
            _ = try await ending.finish(upload, session, as: Self.owner, requestID: "req-1")
        } catch let refusal as ServiceError {
            error = refusal
        }
        return Ended(
            error: error,
            operations: registry.operations,
            discarded: store.discarded,
            logged: messages.texts.filter { $0.contains("could not be given up") }
        )
    }

    @Test("data that is refused is given up, and its client is told why")
    func refusal() async throws {
        let ended = try await end(as: "qcow2", SessionRegistry())
        #expect(ended.error?.code == .unsupportedMediaType)
        #expect(ended.operations == ["sessions.record", "uploads.abort"])
        #expect(ended.discarded == ["a"])
        #expect(ended.logged.isEmpty)
    }

    @Test(
        "where the registry cannot be told of a refusal, the client is told why all the same, and the bytes stay",
        arguments: [RegistryError.Code.unavailable, .leaseLost]
    )
    func refusalUnheard(_ code: RegistryError.Code) async throws {
        let ended = try await end(as: "qcow2", SessionRegistry(abort: .failure(RegistryError(code, "It is away"))))
        #expect(ended.error?.code == .unsupportedMediaType)
        #expect(ended.operations == ["sessions.record", "uploads.abort"])
        #expect(ended.discarded.isEmpty)
        #expect(ended.logged.count == 1)
    }

    @Test("an upload that is over is recorded already, or its bytes go", arguments: [true, false])
    func over(_ isRecorded: Bool) async throws {
        let registry = SessionRegistry(finish: .leaseLost, abort: .success(AbortedUpload(isFinished: isRecorded)))
        let ended = try await end(as: "raw", registry)
        #expect(ended.operations == ["sessions.record", "uploads.finish", "uploads.abort"])
        #expect(ended.error?.code == (isRecorded ? nil : .gone))
        #expect(ended.discarded == (isRecorded ? [] : ["a"]))
    }
}

/// What is logged, as messages without what belongs to them.
private final class Messages: Sendable {
    private let kept = Mutex<[String]>([])

    var texts: [String] { kept.withLock { $0 } }

    func keep(_ text: String) { kept.withLock { $0.append(text) } }

    struct Handler: LogHandler {
        let messages: Messages
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { messages.keep(event.message.description) }
    }
}

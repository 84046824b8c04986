import DataUpkeep
import Digests
import ImageModel
import Logging
import RegistryContract
import StoreLayer
import Testing

@Suite("Verification")
struct VerificationTests {
    private static let data = Array("some data".utf8)
    private static let damaged = Array("sone data".utf8)
    private let threads = WorkerThreads(count: 1)
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func copy(
        checksum: String? = Digest.of(Self.data, .md5).description,
        algorithm: String? = "sha512",
        value: String? = Digest.of(Self.data, .sha512).description
    ) throws -> StoredCopy {
        StoredCopy(
            id: 1,
            image: try #require(ImageID("00000000-0000-4000-8000-000000000001")),
            store: nil,
            url: "memory://1",
            size: Int64(Self.data.count),
            checksum: checksum,
            hashAlgorithm: algorithm,
            hashValue: value
        )
    }

    private func round(_ registry: ScriptedRegistry, _ store: ScriptedStore) async throws -> Verification.Summary {
        let verification = Verification(
            registry: registry,
            catalogue: StoreCatalogue(single: store),
            stores: [""],
            holder: Holder(node: "n", process: "p"),
            pace: Pace(bytesPerSecond: nil),
            threads: threads,
            logger: logger
        )
        return try await verification.round(before: Timestamp(seconds: 1))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var readings: [Result<[UInt8], StoreError>]
        var result: VerificationResult
        var openings = 1

        static let all: [Case] =
            [
                Case("right", [.success(data)], .sound),
                Case("wrong twice", [.success(damaged)], .digest, openings: 2),
                Case("wrong, then right", [.success(damaged), .success(data)], .sound, openings: 2),
                Case(
                    "wrong, then away",
                    [.success(damaged), .failure(StoreError(.unavailable, ""))],
                    .unread,
                    openings: 2
                ),
                Case("shorter", [.success(Array(data.dropLast()))], .size),
                Case("longer", [.success(data + [0])], .size),
            ]
            + StoreError.Code.allCases.map { code in
                let result: VerificationResult = code == .notFound ? .missing : code == .sizeMismatch ? .size : .unread
                return Case("\(code)", [.failure(StoreError(code, ""))], result)
            }

        init(_ name: String, _ readings: [Result<[UInt8], StoreError>], _ result: VerificationResult, openings: Int = 1)
        {
            testDescription = name
            self.readings = readings
            self.result = result
            self.openings = openings
        }
    }

    @Test("what reading a copy comes to", arguments: Case.all)
    func results(_ item: Case) async throws {
        let registry = ScriptedRegistry(.init(copies: [try copy()]))
        let store = ScriptedStore(readings: item.readings)
        let summary = try await round(registry, store)
        #expect(registry.told.results == [item.result])
        #expect(store.openings == item.openings)
        #expect(summary.damaged == (item.result.isDamage ? 1 : 0))
        #expect(summary.unread == (item.result == .unread ? 1 : 0))
    }

    @Test("each digest that was recorded counts, and those that were not do not")
    func digests() async throws {
        let wrong = String(repeating: "0", count: 32)
        let cases: [(StoredCopy, VerificationResult)] = [
            (try copy(checksum: nil), .sound), (try copy(algorithm: nil, value: nil), .sound),
            (try copy(checksum: nil, algorithm: nil, value: nil), .sound), (try copy(checksum: wrong), .digest),
            (try copy(value: wrong), .digest), (try copy(algorithm: "unknown", value: wrong), .sound),
        ]
        for (copy, result) in cases {
            let registry = ScriptedRegistry(.init(copies: [copy]))
            _ = try await round(registry, ScriptedStore(readings: [.success(Self.data)]))
            #expect(registry.told.results == [result], "\(copy)")
        }
    }

    @Test("what became of an image meanwhile is no finding")
    func gone() async throws {
        let registry = ScriptedRegistry(.init(copies: [try copy()], isCurrent: false))
        let summary = try await round(registry, ScriptedStore(readings: [.failure(StoreError(.notFound, ""))]))
        #expect(summary == Verification.Summary())
    }

    @Test("a store that gives nothing is left alone")
    func patience() async throws {
        let registry = ScriptedRegistry(.init(copies: try (0..<9).map { _ in try copy() }))
        let store = ScriptedStore(readings: [.failure(StoreError(.timedOut, ""))])
        #expect(try await round(registry, store).unread == 3)
        #expect(store.openings == 3)
    }

    @Test("a pace is never exceeded on average")
    func pace() async throws {
        let pace = Pace(bytesPerSecond: 1_000)
        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { try await pace.pass(50) } }
            try await group.waitForAll()
        }
        #expect(ContinuousClock.now - began >= .milliseconds(199))
        try await Pace(bytesPerSecond: nil).pass(.max)
    }
}

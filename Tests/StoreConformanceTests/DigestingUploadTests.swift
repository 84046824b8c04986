import Digests
import ImageFormats
import NIOCore
import StoreLayer
import Synchronization
import Testing

@Suite("Digesting uploads")
struct DigestingUploadTests {
    struct Broken: Error {}

    struct KnownAnswer: Sendable, CustomTestStringConvertible {
        let byteCount: Int
        let md5: String
        let sha512: String

        init(_ byteCount: Int, _ md5: String, _ sha512: String) {
            self.byteCount = byteCount
            self.md5 = md5
            self.sha512 = sha512
        }

        var testDescription: String { "\(byteCount) bytes" }

        /// Of `pattern(byteCount)`, as another implementation computes them.
        static let all = [
            KnownAnswer(
                0,
                "d41d8cd98f00b204e9800998ecf8427e",
                "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
                    + "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
            ),
            KnownAnswer(
                1,
                "93b885adfe0da089cdf634904fd59f71",
                "b8244d028981d693af7b456af8efa4cad63d282e19ff14942c246e50d9351d22"
                    + "704a802a71c3580b6370de4ceb293c324a8423342557d4e5c38438f0e36910ee"
            ),
            KnownAnswer(
                65536,
                "aec1c8d8750ae94a6ce2c012966efba8",
                "1a7b0dedef7b1e83e07241cb97831a1e9b44be6bdbc77ffdb41461562f4047e4"
                    + "8d7341c3e88b0ff53a277f74c28d4a6811644596e364a81c60b227b185012852"
            ),
            KnownAnswer(
                524288,
                "f7277742f392330bde63dec53fe16155",
                "30090d4e43417196b7aa320966444eb5d579a6673d897a0fd3be5381498293d2"
                    + "186b238871f546bb76a83168de932d1bf3326215cc261897f49a19adde9c84cc"
            ),
            KnownAnswer(
                524289,
                "763ec5a02abccc106017aa60ad4f3865",
                "3331c4fad877544f28188277fe73714e7e67a6eadcbcdba20321bc35d4e73339"
                    + "521894695c9f8c02bb4bc71801aec9d78905810e7466b979800b3f7410eb0e8a"
            ),
            KnownAnswer(
                3000000,
                "cd564a1c8c6aa8a519ac921c46f4b48b",
                "3c51608e099a8e7de5ca44c29516e39aee2f7ef782de8da164350b9ea54998d8"
                    + "b04e3d72afba2481448c132759ee83c2a7c65bf1cf61cd0c2cad1f21c7a879b7"
            ),
        ]
    }

    private let threads = WorkerThreads(count: 2)
    private let always: @Sendable () -> Bool = { true }

    private func run(
        _ body: Body,
        to store: any Store,
        size: Int64? = nil,
        limit: Int64? = nil,
        expected: ExpectedDigests = ExpectedDigests(),
        admit: @escaping @Sendable (Int64) async throws -> Void = { _ in },
        accept: (@Sendable (Inspection) throws -> Int64?)? = nil
    ) async throws -> UploadedData {
        let location = try await store.intend("object", attempt: "1", size: size)
        return try await DigestingUpload(multihash: .sha512, threads: threads)
            .run(
                body,
                to: store,
                at: location,
                size: size,
                limit: limit,
                expected: expected,
                mayStillPublish: always,
                accept: accept,
                admit: admit
            )
    }

    @Test("what the bytes are is told once, of all of them", arguments: StoreUnderTest.all)
    func inspection(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, _ in
            let uploaded = try await run(Body(pattern(1_400_000)), to: store, accept: { $0.byteCount + 1 })
            #expect(uploaded.virtualSize == 1_400_001)
            #expect(try await run(Body(pattern(9)), to: MemoryStore("memory")).virtualSize == nil)
        }
    }

    @Test("data that is not accepted leaves nothing", arguments: StoreUnderTest.all)
    func refused(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, _ in
            await #expect(throws: Broken.self) {
                try await run(Body(pattern(1_400_000)), to: store, accept: { _ in throw Broken() })
            }
            let location = try await store.intend("object", attempt: "1", size: nil)
            try await store.discard(location)
            let error = await #expect(throws: StoreError.self) { try await store.open(location.url, range: nil) }
            #expect(error?.code == .notFound)
            #expect(try await store.leftovers().isEmpty)
        }
    }

    @Test("data of another digest than declared is not published", arguments: StoreUnderTest.all)
    func expectedDigests(_ subject: StoreUnderTest) async throws {
        let bytes = pattern(1_400_000)
        let whole = bytes.getBytes(at: 0, length: bytes.readableBytes) ?? []
        for algorithm in [DigestAlgorithm.md5, .sha512, .sha256] {
            try await subject.withStore { store, _ in
                var expected = ExpectedDigests()
                try expected.expect(Digest.of(whole + [0], algorithm), algorithm)
                let error = await #expect(throws: StoreError.self) {
                    try await run(Body(bytes), to: store, expected: expected)
                }
                #expect(error?.code == .digestMismatch)
                let location = try await store.intend("object", attempt: "1", size: nil)
                try await store.discard(location)
                #expect(try await store.leftovers().isEmpty)
                expected = ExpectedDigests()
                try expected.expect(Digest.of(whole, algorithm), algorithm)
                let uploaded = try await run(Body(bytes), to: store, expected: expected)
                #expect(uploaded.multihash == Digest.of(whole, .sha512))
            }
        }
    }

    @Test("digests and bytes are those of the body", arguments: KnownAnswer.all, StoreUnderTest.all)
    func knownAnswers(_ answer: KnownAnswer, _ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, _ in
            let bytes = pattern(answer.byteCount)
            let uploaded = try await run(Body(bytes), to: store, size: Int64(answer.byteCount))
            #expect(uploaded.stored.byteCount == Int64(answer.byteCount))
            #expect(uploaded.checksum.description == answer.md5)
            #expect(uploaded.multihash.description == answer.sha512)
            #expect(try await store.get(store.intend("object", attempt: "2", size: nil).url) == bytes)
        }
    }

    @Test(
        "how the body was cut does not matter",
        arguments: [[1_400_000], [524_288], [524_287, 2], [65_536], [4_001]]
    )
    func chunkLengths(_ lengths: [Int]) async throws {
        let store = MemoryStore("memory")
        let bytes = pattern(1_200_000)
        let uploaded = try await run(Body(bytes, lengths: lengths), to: store)
        let whole = bytes.getBytes(at: 0, length: bytes.readableBytes) ?? []
        #expect(uploaded.checksum == Digest.of(whole, .md5))
        #expect(uploaded.multihash == Digest.of(whole, .sha512))
        #expect(try await store.get("memory://memory/object") == bytes)
    }

    @Test("a body of another length than declared is refused and leaves nothing", arguments: StoreUnderTest.all)
    func sizes(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, names in
            let short = await #expect(throws: StoreError.self) {
                try await run(Body(pattern(1_000_000)), to: store, size: 1_000_001)
            }
            #expect(short?.code == .sizeMismatch)
            #expect(short?.message == "Size mismatch: expected 1000001 bytes, got 1000000 bytes")
            #expect(names() == [])
            let long = await #expect(throws: StoreError.self) {
                try await run(Body(pattern(10), lengths: [4]), to: store, size: 7)
            }
            #expect(long?.code == .sizeMismatch)
            #expect(long?.message == "Size exceeds: expected 7 bytes, got 8 bytes")
            #expect(names() == [])
        }
    }

    @Test("a body beyond the limit is cut off while it comes", arguments: StoreUnderTest.all)
    func limit(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, names in
            let given = Counter()
            let endless = Body { _ in
                given.add(100_000)
                return pattern(100_000)
            }
            let error = await #expect(throws: StoreError.self) { try await run(endless, to: store, limit: 2_000_000) }
            #expect(error?.code == .tooLarge)
            #expect(given.value == 2_100_000)
            #expect(names() == [])
            let declared = await #expect(throws: StoreError.self) {
                try await run(Body { _ in throw Broken() }, to: store, size: 11, limit: 10)
            }
            #expect(declared?.code == .tooLarge)
            _ = try await run(Body(pattern(10)), to: store, limit: 10)
        }
    }

    @Test("whoever admits bytes may cut the upload off", arguments: StoreUnderTest.all)
    func admission(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, names in
            let asked = Mutex<[Int64]>([])
            await #expect(throws: Broken.self) {
                try await run(Body(pattern(3_000_000)), to: store) { byteCount in
                    asked.withLock { $0.append(byteCount) }
                    if byteCount > 1_100_000 { throw Broken() }
                }
            }
            #expect(asked.withLock { $0 } == [524_288, 1_048_576, 1_572_864])
            #expect(names() == [])
        }
    }

    @Test("a slow store holds the sender up: memory is bounded")
    func slowStore() async throws {
        let given = Counter()
        let body = Body { index in
            if index == 400 { return nil }
            given.add(65_536)
            return pattern(65_536)
        }
        let store = SlowStore(given: given)
        _ = try await run(body, to: store)
        #expect(store.mostAhead.value > 0)
        #expect(store.mostAhead.value <= DigestingUpload.batchByteCount)
    }

    @Test("slow digests hold the sender up: memory is bounded")
    func slowDigests() async throws {
        // Both lanes wait for the only thread, which is busy until the sender can not get any further.
        let threads = WorkerThreads(count: 1)
        let given = Counter()
        let body = Body { index in
            if index == 400 { return nil }
            given.add(65_536)
            return pattern(65_536)
        }
        let most = threads.start {
            var count = -1
            repeat {
                count = given.value
                sleepBriefly()
            } while given.value != count || count == 0
            return count
        }
        let store = MemoryStore("memory")
        let location = try await store.intend("object", attempt: "1", size: nil)
        let uploaded = try await DigestingUpload(multihash: .sha256, threads: threads)
            .run(body, to: store, at: location, size: nil, limit: nil, mayStillPublish: always)
        let bound = DigestingUpload.batchesInFlight * DigestingUpload.batchByteCount
        #expect(await most.value() <= bound)
        #expect(uploaded.stored.byteCount == 400 * 65_536)
    }

    @Test("many uploads share few threads")
    func many() async throws {
        let bytes = pattern(1_500_000)
        let expected = Digest.of(bytes.getBytes(at: 0, length: bytes.readableBytes) ?? [], .md5)
        let checksums = try await withThrowingTaskGroup(of: Digest.self) { group in
            for _ in 0..<20 {
                group.addTask { try await run(Body(bytes), to: MemoryStore("memory")).checksum }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(checksums == Array(repeating: expected, count: 20))
    }
}

import Fetching
import NIOCore
import NIOHTTP1
import StoreHTTP
import StoreLayer
import Synchronization
import Testing

/// The store that reads from web servers: what every store promises to readers, and what only this one meets.
@Suite("HTTP store")
struct HTTPStoreTests {
    private let bytes = pattern(300_000)

    private func store(_ change: (inout Fetcher) -> Void = { _ in }) -> HTTPStore {
        var rules = FetchRules()
        rules.allowedHosts = ["127.0.0.1"]
        rules.allowedPorts = []
        var fetcher = Fetcher(rules: rules)
        fetcher.idleSeconds = 30
        change(&fetcher)
        return HTTPStore("web", fetcher: fetcher)
    }

    private func read(_ blob: any Blob, chunkByteCount: Int = 65_536) async throws -> Chunk {
        var read = Chunk()
        for try await var chunk in blob.chunks(of: chunkByteCount) { read.writeBuffer(&chunk) }
        return read
    }

    /// A source with ranges, or one that knows none.
    private func serving(ranges: Bool) -> WebServer.Answering {
        { [bytes] request in
            guard request.path == "/data" else { return WebServer.Answer(status: .notFound) }
            return ranges ? WebServer.serving(bytes, to: request) : WebServer.Answer(body: bytes)
        }
    }

    @Test("data is read whole and in part, from sources with and without ranges", arguments: [true, false])
    func reading(_ ranges: Bool) async throws {
        try await WebServer.with(serving(ranges: ranges)) { server in
            let (store, url) = (store(), server.url("/data"))
            #expect(try await store.byteCount(at: url) == 300_000)
            let whole = try await store.open(url, range: nil)
            #expect(whole.totalByteCount == 300_000 && whole.range == 0..<300_000 && whole.localFile == nil)
            #expect(try await read(whole) == bytes)
            for range in [0..<1, 99_999..<100_001, 299_999..<300_000, 7..<7, 300_000..<300_000, 0..<300_000]
                as [Range<Int64>]
            {
                let part = try await store.open(url, range: range)
                #expect(part.totalByteCount == 300_000 && part.range == range)
                #expect(try await read(part) == bytes.getSlice(at: Int(range.lowerBound), length: range.count))
            }
            let beyond = await #expect(throws: StoreError.self) { try await store.open(url, range: 300_000..<300_001) }
            #expect(beyond?.code == .sizeMismatch)
        }
    }

    @Test("chunks that are being read are still read when the blob is closed")
    func closing() async throws {
        try await WebServer.with(serving(ranges: true)) { server in
            let blob = try await store().open(server.url("/data"), range: nil)
            var lengths: [Int] = []
            for try await chunk in blob.chunks(of: 100_000) {
                blob.close()
                lengths.append(chunk.readableBytes)
            }
            #expect(lengths == [100_000, 100_000, 100_000])
            await #expect(throws: StoreError.self) { try await read(blob) }
        }
    }

    @Test("what a source answers is told apart")
    func answers() async throws {
        let cases: [(WebServer.Answer, StoreError.Code)] = [
            (.init(status: .notFound), .notFound), (.init(status: .unauthorized), .invalidLocation),
            (.init(status: .gone), .invalidLocation), (.init(status: .serviceUnavailable), .unavailable),
            (.init(status: .tooManyRequests), .unavailable), (.init(status: .temporaryRedirect), .invalidLocation),
            (.init(status: .noContent, tellsLength: false), .invalidLocation),
            (.init(body: Chunk(string: "chunked"), tellsLength: false), .invalidLocation),
            (.init(status: .found, headers: ["location": "file:///etc/passwd"]), .forbidden),
            (.init(status: .found, headers: ["location": "http://169.254.169.254/"]), .forbidden),
            (.init(status: .found, headers: ["location": "/again"]), .invalidLocation),
            (.init(status: .found), .invalidLocation),
        ]
        for (answer, code) in cases {
            try await WebServer.with({ _ in answer }) { server in
                let store = store()
                let opening = await #expect(throws: StoreError.self) {
                    try await store.open(server.url("/"), range: nil)
                }
                #expect(opening?.code == code, "\(answer)")
                let asking = await #expect(throws: StoreError.self) { try await store.byteCount(at: server.url("/")) }
                #expect(asking?.code == code, "\(answer)")
            }
        }
    }

    @Test("a source that many name at once is asked once", .timeLimit(.minutes(10)))
    func shared() async throws {
        let (gate, requests) = (Gate(), Counter())
        try await WebServer.with({ [bytes] _ in
            requests.add(1)
            return .init(body: bytes, gate: gate)
        }) { server in
            let (store, url) = (store(), server.url("/data"))
            let lengths = try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 0..<30 { group.addTask { try await store.byteCount(at: url) } }
                while store.lengths.waiterCount(of: url) < 30 { try await Task.sleep(for: .milliseconds(2)) }
                gate.open()
                return try await group.reduce(into: Set<Int64>()) { $0.insert($1) }
            }
            #expect(lengths == [300_000])
            #expect(requests.value == 1)
        }
    }

    @Test("the next chunks come while a reader is busy with one, and no more than these", .timeLimit(.minutes(10)))
    func readingAhead() async throws {
        let chunkByteCount = 12 << 20
        // What a connection holds on its way; systems allow 10 MiB.
        let inSockets = chunkByteCount - (1 << 20)
        let sent = Counter()
        var body = Chunk()
        for seed in 0..<24 { body.writeImmutableBuffer(pattern(3 << 20, seed: seed)) }
        try await WebServer.with({ [body] _ in .init(body: body, sent: sent) }) { server in
            let blob = try await store().open(server.url("/"), range: nil)
            var chunks = blob.chunks(of: chunkByteCount).makeAsyncIterator()
            #expect(try await chunks.next(isolation: nil) == body.getSlice(at: 0, length: chunkByteCount))
            // The one in hand, and two more.
            while sent.value < 3 * chunkByteCount { try await Task.sleep(for: .milliseconds(2)) }
            try await Task.sleep(for: .milliseconds(50))
            #expect(sent.value <= 3 * chunkByteCount + inSockets)
            #expect(try await chunks.next(isolation: nil) == body.getSlice(at: chunkByteCount, length: chunkByteCount))
        }
    }

    @Test("a source that knows GET alone is asked so")
    func withoutHead() async throws {
        try await WebServer.with({ [bytes] request in
            request.method == .GET ? .init(body: bytes) : .init(status: .methodNotAllowed)
        }) { server in
            let byteCount = try await store().byteCount(at: server.url("/"))
            #expect(byteCount == 300_000)
        }
    }

    @Test("data that breaks off is an error, never taken for whole")
    func truncated() async throws {
        try await WebServer.with({ [bytes] _ in .init(body: bytes, length: 300_001) }) { server in
            let blob = try await store().open(server.url("/"), range: nil)
            #expect(blob.totalByteCount == 300_001)
            await #expect(throws: FetchError.self) { try await read(blob) }
        }
    }

    @Test("redirects are followed, each is judged, and credentials go nowhere else")
    func redirects() async throws {
        let seen = Mutex<[String?]>([])
        try await WebServer.with({ [bytes] request in
            seen.withLock { $0.append(request.headers.first(name: "authorization")) }
            return .init(body: bytes)
        }) { target in
            try await WebServer.with({ request in
                seen.withLock { $0.append(request.headers.first(name: "authorization")) }
                let hops = Int(request.path.dropFirst()) ?? 0
                return .init(status: .found, headers: ["location": hops == 0 ? target.url("/data") : "/\(hops - 1)"])
            }) { source in
                let url = "http://user:secret@127.0.0.1:\(source.port)"
                let byteCount = try await store().byteCount(at: url + "/4")
                #expect(byteCount == 300_000)
                let basic = "Basic dXNlcjpzZWNyZXQ="
                let sent = seen.withLock { $0 }
                #expect(sent == [basic, basic, basic, basic, basic, nil])
                let error = await #expect(throws: StoreError.self) { try await store().byteCount(at: url + "/5") }
                #expect(error?.code == .invalidLocation)
            }
        }
    }

    @Test("nothing is sent where the rules do not let it be")
    func rules() async throws {
        let count = Mutex(0)
        try await WebServer.with({ _ in
            count.withLock { $0 += 1 }
            return .init()
        }) { server in
            for change in [
                { $0.rules.allowedHosts = [] }, { $0.rules.allowedPorts = [80] },
                { $0.rules.allowedSchemes = ["https"] },
            ] as [(inout Fetcher) -> Void] {
                for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
                    let url = "http://\(host):\(server.port)/"
                    let error = await #expect(throws: StoreError.self) { try await store(change).byteCount(at: url) }
                    #expect(error?.code == .forbidden, "\(url)")
                    #expect(error?.message.contains("127.0.0.1") == false)
                }
            }
        }
        let asked = count.withLock { $0 }
        #expect(asked == 0)
    }

    @Test("a source that does not answer is unavailable, in bounded time")
    func silence() async throws {
        let listener = try await SilentServer.bind()
        let start = ContinuousClock.now
        let error = await #expect(throws: StoreError.self) {
            try await store { $0.idleSeconds = 1 }.open("http://127.0.0.1:\(listener.port)/", range: nil)
        }
        #expect(error?.code == .unavailable)
        #expect(ContinuousClock.now - start < .seconds(20))
        try await listener.close()
        let closed = await #expect(throws: StoreError.self) {
            try await store().open("http://127.0.0.1:\(listener.port)/", range: nil)
        }
        #expect(closed?.code == .unavailable)
    }

    @Test("it takes no data, deletes none, and keeps no attempts")
    func readOnly() async throws {
        let store = store()
        #expect(store.capabilities == [.read, .readRanges, .externalLocations])
        #expect(store.details == StoreDetails(type: "http"))
        for url in ["", "file:///etc/passwd", "http://", "memory://web/a"] {
            #expect(!store.recognizes(url))
            let opening = await #expect(throws: StoreError.self) { try await store.open(url, range: nil) }
            #expect(opening?.code == .invalidLocation)
            let deleting = await #expect(throws: StoreError.self) { try await store.delete(url, identity: nil) }
            #expect(deleting?.code == .invalidLocation)
        }
        #expect(store.recognizes("HTTPS://h/a"))
        let deleting = await #expect(throws: StoreError.self) { try await store.delete("http://h/a", identity: nil) }
        #expect(deleting?.code == .unsupported)
        let adding = await #expect(throws: StoreError.self) {
            try await store.intend("a", attempt: "1", size: nil)
        }
        #expect(adding?.code == .addingDisabled)
        #expect(try await store.leftovers().isEmpty)
        try await store.discard(IntendedLocation(url: "http://h/a", object: "a", attempt: "1"))
    }
}

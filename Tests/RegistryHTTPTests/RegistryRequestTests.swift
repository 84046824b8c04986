import ImageModel
import RegistryContract
import Testing
import WireJSON

@Suite("Requests to the registry, written by hand")
struct RegistryRequestTests {
    static let list = envelope(ListImages(query: ImageListQuery(limit: 1)))

    static func envelope<Operation: RegistryOperation>(
        _ operation: Operation,
        as caller: Caller = .tester,
        requestID: String = "req-1",
        key: String? = nil
    ) -> [UInt8] {
        RegistryEnvelope(caller: caller, requestID: requestID, idempotencyKey: key, arguments: operation).jsonBytes
    }

    @Test("a stranger hears the same from every kind of mistake")
    func strangers() async throws {
        try await RegistryUnderTest.served { _, port in
            let good = RawRequest("images.list", Self.list)
            #expect(try await good.send(to: port).status == 200)

            var requests: [(mistake: String, RawRequest)] = [("a repeated nonce", good)]
            func add(_ mistake: String, _ change: (inout RawRequest) -> Void) {
                var request = RawRequest("images.list", Self.list)
                change(&request)
                requests.append((mistake, request))
            }
            for header in good.headers { add("no \(header.name)") { $0[header: header.name] = nil } }
            for header in good.headers { add("an empty \(header.name)") { $0[header: header.name] = "" } }
            add("no header") { $0.headers = [] }
            add("a wrong signature") {
                $0[header: RegistryProtocol.Header.signature] = String(repeating: "0", count: 64)
            }
            add("an unknown key") { $0[header: RegistryProtocol.Header.keyID] = "none" }
            add("another version than signed") { $0[header: RegistryProtocol.Header.version] = "2" }
            add("a timestamp that is none") { $0[header: RegistryProtocol.Header.timestamp] = "now" }
            add("the earliest timestamp") { $0[header: RegistryProtocol.Header.timestamp] = "\(Int64.min)" }
            add("another body") { $0.body.append(UInt8(ascii: " ")) }
            add("another path") { $0.path = "/v1/images.show" }
            add("an unknown path") { $0.path = "/v2/images.list" }
            add("the root") { $0.path = "/" }
            add("another method") { $0.method = "PUT" }
            add("GET") { request in
                request.method = "GET"
                request.body = []
            }
            requests.append(("a stale timestamp", RawRequest("images.list", Self.list, age: 300)))
            requests.append(("a timestamp from the future", RawRequest("images.list", Self.list, age: -300)))
            requests.append(("the wrong key", RawRequest("images.list", Self.list, key: RegistryUnderTest.newKey)))
            requests.append(("an unknown operation, unsigned", RawRequest("images.explode", Self.list, age: 300)))

            for (mistake, request) in requests {
                let answer = try await request.send(to: port)
                #expect(answer.status == 401, "\(mistake)")
                #expect(answer.body == #"{"error":"unauthenticated","message":"Unauthorized"}"#, "\(mistake)")
                #expect(answer.headers["glance-protocol"] == "1-1", "\(mistake)")
                #expect(
                    Set(answer.headers.keys).subtracting(["connection"])
                        == ["content-type", "content-length", "glance-protocol"],
                    "\(mistake)"
                )
            }
        }
    }

    @Test("an operation that is not known is refused to those who may speak")
    func unknownOperation() async throws {
        try await RegistryUnderTest.served { _, port in
            for name in ["images.explode", "", "images.list/", "../metrics"] {
                let answer = try await RawRequest(name, Self.list).send(to: port)
                #expect(answer.status == 404, "\(name)")
                #expect(
                    answer.body
                        == #"{"error":"unknownOperation","message":"This registry knows no such operation"}"#,
                    "\(name)"
                )
            }
        }
    }

    @Test("arguments that cannot be read are refused by name")
    func malformed() async throws {
        let head = #"{"caller":{"roles":[],"admin":false},"request_id":"r""#
        let cases: [(operation: String, body: String, answer: String)] = [
            (
                "images.show", head + #","arguments":{}}"#,
                #"{"error":"malformed","message":"id is missing","field":"id"}"#
            ),
            (
                "images.show", head + #","arguments":{"id":5}}"#,
                #"{"error":"malformed","message":"id is integer, a string is expected","field":"id"}"#
            ),
            (
                "images.show", head + #","arguments":{"id":"x"}}"#,
                #"{"error":"malformed","message":"id is no UUID","field":"id"}"#
            ),
            ("images.show", head + "}", #"{"error":"malformed","message":"arguments is missing","field":"arguments"}"#),
            ("images.show", "{}", #"{"error":"malformed","message":"caller is missing","field":"caller"}"#),
            (
                "images.restore", head + #","arguments":{"id":"6f9619ff-8b86-d011-b42d-00cf4fc964ff"}}"#,
                #"{"error":"malformed","message":"This operation needs an idempotency key","field":"key"}"#
            ),
            (
                "images.restore",
                head + #","key":"short","arguments":{"id":"6f9619ff-8b86-d011-b42d-00cf4fc964ff"}}"#,
                #"{"error":"malformed","message":"This operation needs an idempotency key","field":"key"}"#
            ),
        ]
        try await RegistryUnderTest.served { _, port in
            for (operation, body, expected) in cases {
                let answer = try await RawRequest(operation, body).send(to: port)
                #expect(answer.status == 400)
                #expect(answer.body == expected)
            }
            for body in ["", "{", "[]", "nonsense", "\u{FF}"] {
                let answer = try await RawRequest("images.show", body).send(to: port)
                #expect(answer.status == 400)
                #expect(answer.body.hasPrefix(#"{"error":"malformed","message":""#), "\(answer.body)")
            }
        }
    }

    @Test("a body over the limit is refused: by its declaration unread, else when it gets there")
    func bodyLimit() async throws {
        try await RegistryUnderTest.served { _, port in
            let tooLarge = #"{"error":"malformed","message":"The body is too large"}"#
            var declared = RawRequest("images.list", [UInt8](repeating: 0x20, count: RegistryProtocol.bodyLimit + 1))
            declared.sendsBody = false
            var answer = try await declared.send(to: port)
            #expect(answer.status == 400)
            #expect(answer.body == tooLarge)

            var chunked = declared
            chunked.sendsBody = true
            chunked.isChunked = true
            answer = try await chunked.send(to: port)
            #expect(answer.status == 400)
            #expect(answer.body == tooLarge)

            let blanks = [UInt8](repeating: 0x20, count: RegistryProtocol.bodyLimit - Self.list.count)
            answer = try await RawRequest("images.list", blanks + Self.list).send(to: port)
            #expect(answer.status == 200)
            #expect(answer.body == #"{"images":[]}"#)
        }
    }

    @Test("a version that is not spoken is answered with those that are")
    func versions() async throws {
        try await RegistryUnderTest.served { _, port in
            for version in [0, RegistryProtocol.oldest - 1, RegistryProtocol.current + 1, -1] {
                let answer = try await RawRequest("images.list", Self.list, version: version).send(to: port)
                #expect(answer.status == 400)
                #expect(answer.headers["glance-protocol"] == "\(RegistryProtocol.oldest)-\(RegistryProtocol.current)")
                let error = try RegistryError(json: JSONValue(parsing: Array(answer.body.utf8)))
                #expect(error.code == .unsupportedProtocol)
            }
        }
    }

    @Test("a write sent twice under one key is applied once and answers the same")
    func idempotency() async throws {
        try await RegistryUnderTest.served { registry, port in
            let key = "0123456789abcdef"
            let image = Image.sample()
            let create = CreateImage(image: image)
            let first = try await RawRequest("images.create", Self.envelope(create, key: key)).send(to: port)
            #expect(first.status == 200)
            let again = try await RawRequest("images.create", Self.envelope(create, requestID: "req-2", key: key))
                .send(to: port)
            #expect(again == first)
            #expect(try await registry.count() == 1)

            let other = CreateImage(image: .sample())
            let somebody = Caller(user: "u2", project: "p1", roles: ["member"])
            let reuses: [(String, [UInt8])] = [
                ("images.create", Self.envelope(other, key: key)),
                ("images.create", Self.envelope(create, as: somebody, key: key)),
                ("images.update", Self.envelope(UpdateImage(image: image), key: key)),
            ]
            for (operation, body) in reuses {
                let answer = try await RawRequest(operation, body).send(to: port)
                #expect(answer.status == 409)
                #expect(
                    answer.body
                        == #"{"error":"keyReused","message":"The idempotency key was used for a different request"}"#
                )
            }
            #expect(try await registry.count() == 1)
        }
    }

    @Test("a write that was refused is not remembered: under the same key it may succeed later")
    func refusedWrites() async throws {
        try await RegistryUnderTest.served { registry, port in
            let key = "0123456789abcdef"
            var image = Image.sample()
            let update = UpdateImage(
                image: {
                    var changed = image
                    changed.revision = 1
                    changed.name = "changed"
                    return changed
                }()
            )
            var answer = try await RawRequest("images.update", Self.envelope(update, key: key)).send(to: port)
            #expect(answer.status == 404)
            image.revision = 1
            let create = Self.envelope(CreateImage(image: image), key: "fedcba9876543210")
            #expect(try await RawRequest("images.create", create).send(to: port).status == 200)
            answer = try await RawRequest("images.update", Self.envelope(update, key: key)).send(to: port)
            #expect(answer.status == 200)
            #expect(try await registry.count() == 1)
        }
    }

    @Test("twenty copies of one write at the same moment are applied once")
    func concurrentCopies() async throws {
        try await RegistryUnderTest.served { registry, port in
            let body = Self.envelope(CreateImage(image: .sample()), key: "0123456789abcdef")
            let answers = try await withThrowingTaskGroup(of: RawAnswer.self) { tasks in
                for _ in 0..<20 { tasks.addTask { try await RawRequest("images.create", body).send(to: port) } }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0 == answers.first && $0.status == 200 })
            #expect(try await registry.count() == 1)
        }
    }
}

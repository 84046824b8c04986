import Glibc
import HTTPTypes
import ImageModel
import ServiceKit
import Synchronization
import Testing

@testable import Identity

/// An identity over a file with two users, whose checks are counted and can be held up.
private struct Subject {
    let file: TemporaryFile
    let identity: HTTPBasicIdentity
    let time = ManualTime()
    /// The hashes that were checked, in order.
    let checks = Collected<String>()
    /// Checks wait while this is true.
    let gate = Gate()

    init(allowsAnonymous: Bool = false, _ adjust: (inout HTTPBasicIdentity.Limits) -> Void = { _ in }) throws {
        file = try TemporaryFile(
            "alice:\(hashOfUStarU):project=demo;roles=admin;user=u-1\nbob:\(hashOfUStarUStar)\n"
        )
        var limits = HTTPBasicIdentity.Limits()
        adjust(&limits)
        let users = try HTPasswdFile(path: file.path, now: { [time] in time.now() }, onFault: { _ in })
        identity = HTTPBasicIdentity(
            users: users,
            isAdmin: isAdmin,
            allowsAnonymous: allowsAnonymous,
            limits: limits,
            now: { [time] in time.now() },
            check: { [checks, gate] password, hash in
                checks.add(hash.text)
                gate.pass()
                return BcryptHash.check(password, hash)
            }
        )
    }

    func identify(_ user: String, _ password: String, from address: String = "192.0.2.1") async throws -> Caller {
        let authorization = "Basic " + base64(Array("\(user):\(password)".utf8))
        return try await identify(try headers(("Authorization", authorization)), from: address)
    }

    func identify(_ headers: HTTPFields, from address: String = "192.0.2.1") async throws -> Caller {
        try await identity.identify(RequestCredentials(headers: headers, peer: .address(address)))
    }
}

/// Holds up threads while it is shut. Spins: it is for a few threads and a short time.
private final class Gate: Sendable {
    private let isShut = Atomic(false)

    func shut() { isShut.store(true, ordering: .sequentiallyConsistent) }
    func open() { isShut.store(false, ordering: .sequentiallyConsistent) }
    func pass() { while isShut.load(ordering: .sequentiallyConsistent) { _ = usleep(500) } }
}

private func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = Array(bytes[start..<min(start + 3, bytes.count)])
        let bits = (0..<3).reduce(0) { $0 << 8 | ($1 < group.count ? Int(group[$1]) : 0) }
        for index in 0..<4 { text.append(index <= group.count ? digits[bits >> (18 - 6 * index) & 63] : "=") }
    }
    return text
}

/// Waits until something that another thread does has happened.
private func eventually(_ condition: () -> Bool) async throws {
    for _ in 0..<2_000 where !condition() { try await Task.sleep(for: .milliseconds(5)) }
    #expect(condition())
}

@Suite("HTTP basic identity")
struct HTTPBasicIdentityTests {
    @Test("a user with the right password is who the file says")
    func accepted() async throws {
        let subject = try Subject()
        let alice = try await subject.identify("alice", "U*U")
        #expect(
            alice
                == Caller(user: "u-1", project: "demo", roles: ["admin", "manager", "member", "reader"], isAdmin: true)
        )
        let bob = try await subject.identify("bob", "U*U*")
        #expect(bob == Caller(user: "bob", project: "bob", roles: ["member", "reader"]))
    }

    @Test("a wrong password, an unknown user and a malformed header read alike")
    func refused() async throws {
        let subject = try Subject()
        await expectUnauthenticated(.wrongCredentials) { try await subject.identify("alice", "U*U*") }
        await expectUnauthenticated(.wrongCredentials) { try await subject.identify("mallory", "U*U") }
        await expectUnauthenticated(.missingCredentials) { try await subject.identify(HTTPFields()) }
        for value in ["Basic x", "Bearer token", ""] {
            await expectUnauthenticated(.malformedCredentials) {
                try await subject.identify(try headers(("Authorization", value)))
            }
        }
        await expectUnauthenticated(.malformedCredentials) {
            try await subject.identify(
                try headers(("Authorization", "Basic YWxpY2U6VSpV"), ("Authorization", "Basic YWxpY2U6VSpV"))
            )
        }
        #expect(subject.identity.challenge.hasPrefix("Basic realm=\"Image service\""))
    }

    @Test("identity headers that a client sends count for nothing")
    func spoofing() async throws {
        let subject = try Subject()
        let spoofed = try headers(
            ("X-Identity-Status", "Confirmed"),
            ("X-User-Id", "root"),
            ("X-Roles", "admin"),
            ("X-Project-Id", "other")
        )
        await expectUnauthenticated(.missingCredentials) { try await subject.identify(spoofed) }
        var both = spoofed
        both[.authorization] = "Basic " + base64(Array("bob:U*U*".utf8))
        #expect(try await subject.identify(both) == Caller(user: "bob", project: "bob", roles: ["member", "reader"]))
    }

    @Test("an unknown user costs one check of the same cost as a known one")
    func dummy() async throws {
        let subject = try Subject()
        await expectUnauthenticated(.wrongCredentials) { try await subject.identify("mallory", "x") }
        #expect(subject.checks.all == [BcryptHash.dummy(cost: 5).text])
    }

    @Test("good credentials are checked once in five minutes")
    func remembered() async throws {
        let subject = try Subject()
        for _ in 0..<10 { _ = try await subject.identify("alice", "U*U") }
        #expect(subject.checks.all.count == 1)
        subject.time.advance(by: .seconds(299))
        _ = try await subject.identify("alice", "U*U")
        #expect(subject.checks.all.count == 1)
        subject.time.advance(by: .seconds(1))
        _ = try await subject.identify("alice", "U*U")
        #expect(subject.checks.all.count == 2)
    }

    @Test("bad credentials are checked once in three seconds, and good ones of that user meanwhile")
    func refusalRemembered() async throws {
        let subject = try Subject()
        for _ in 0..<5 {
            await expectUnauthenticated(.wrongCredentials) { try await subject.identify("alice", "wrong") }
        }
        #expect(subject.checks.all.count == 1)
        _ = try await subject.identify("alice", "U*U")
        #expect(subject.checks.all.count == 2)
        subject.time.advance(by: .seconds(3))
        await expectUnauthenticated(.wrongCredentials) { try await subject.identify("alice", "wrong") }
        #expect(subject.checks.all.count == 3)
    }

    @Test("a flood of bad credentials does not push good ones out")
    func flood() async throws {
        let subject = try Subject { $0.capacity = 2 }
        _ = try await subject.identify("alice", "U*U")
        for index in 0..<5 {
            await expectUnauthenticated(.wrongCredentials) { try await subject.identify("alice", "wrong\(index)") }
        }
        let before = subject.checks.all.count
        _ = try await subject.identify("alice", "U*U")
        #expect(subject.checks.all.count == before)
    }

    @Test("the same credentials at the same time are checked once")
    func singleFlight() async throws {
        let subject = try Subject()
        subject.gate.shut()
        try await withThrowingTaskGroup(of: Caller.self) { group in
            for _ in 0..<20 { group.addTask { try await subject.identify("alice", "U*U") } }
            try await eventually { subject.checks.all.count == 1 }
            subject.gate.open()
            for try await caller in group { #expect(caller.user == "u-1") }
        }
        #expect(subject.checks.all.count == 1)
    }

    @Test("what does not fit into the queue is unavailable, is not remembered, and the rest is answered")
    func busy() async throws {
        let subject = try Subject {
            $0.threadLimit = 1
            $0.queueLimit = 1
        }
        subject.gate.shut()
        let running = Task { try await subject.identify("alice", "U*U") }
        try await eventually { subject.checks.all.count == 1 }
        let outcomes = Collected<ServiceError.Code>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<3 {
                group.addTask {
                    do {
                        _ = try await subject.identify("bob", "wrong\(index)")
                    } catch let error as ServiceError {
                        outcomes.add(error.code)
                    }
                }
            }
            try await eventually { outcomes.all.count == 2 }
            #expect(outcomes.all == [.unavailable, .unavailable])
            subject.gate.open()
            try await group.waitForAll()
        }
        #expect(outcomes.all.last == .unauthenticated)
        #expect(try await running.value.user == "u-1")
        #expect(try await subject.identify("bob", "U*U*").user == "bob")
    }

    @Test(
        "somebody who tries passwords waits for himself, and others get in",
        arguments: [("alice", "203.0.113.9"), ("made-up", "192.0.2.1"), ("made-up", "203.0.113.9")]
    )
    func passwordFlood(user: String, address: String) async throws {
        let subject = try Subject {
            $0.threadLimit = 1
            $0.queueLimit = 8
        }
        subject.gate.shut()
        let refused = Collected<ServiceError.Code>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<60 {
                group.addTask {
                    do {
                        // Names that are in no file are made up anew each time.
                        let name = user == "alice" ? user : "\(user)-\(index)"
                        _ = try await subject.identify(name, "wrong\(index)", from: address)
                    } catch let error as ServiceError {
                        refused.add(error.code)
                    }
                }
                // The first is being checked before the others come.
                if index == 0 { try await eventually { subject.checks.all.count == 1 } }
            }
            // Eight wait.
            try await eventually { refused.all.count == 51 }
            async let bob = subject.identify("bob", "U*U*")
            async let alice = subject.identify("alice", "U*U", from: "198.51.100.7")
            try await eventually { refused.all.count == 53 }
            subject.gate.open()
            #expect(try await bob.user == "bob")
            #expect(try await alice.user == "u-1")
            try await group.waitForAll()
        }
        #expect(refused.all.filter { $0 == .unavailable }.count == 53)
    }

    @Test("a password that changed in the file is no longer good, and new rights hold at once")
    func reload() async throws {
        let subject = try Subject()
        _ = try await subject.identify("alice", "U*U")
        _ = try await subject.identify("bob", "U*U*")
        try subject.file.write("alice:\(hashOfUStarUStar)\nbob:\(hashOfUStarUStar):roles=reader\n")
        subject.time.advance(by: .seconds(1))
        await expectUnauthenticated(.wrongCredentials) { try await subject.identify("alice", "U*U") }
        #expect(try await subject.identify("bob", "U*U*").roles == ["reader"])
    }

    @Test("where anonymous access is on, only a request without credentials is anonymous")
    func anonymous() async throws {
        let subject = try Subject(allowsAnonymous: true)
        #expect(try await subject.identify(HTTPFields()) == .anonymous)
        await expectUnauthenticated(.wrongCredentials) { try await subject.identify("alice", "wrong") }
        await expectUnauthenticated(.malformedCredentials) {
            try await subject.identify(try headers(("Authorization", "Basic x")))
        }
    }

    @Test("the real check runs for a real user")
    func real() async throws {
        let file = try TemporaryFile()
        let password = generatePassword()
        try HTPasswdFile.setUser(
            path: file.path,
            name: "admin",
            password: password,
            project: "p",
            roles: ["admin"],
            cost: 4
        )
        let users = try HTPasswdFile(path: file.path, onFault: { _ in })
        let identity = HTTPBasicIdentity(users: users, isAdmin: isAdmin)
        let fields = try headers(("Authorization", "Basic " + base64(Array("admin:\(password)".utf8))))
        let caller = try await identity.identify(RequestCredentials(headers: fields, peer: .unixSocket))
        #expect(caller.isAdmin)
    }
}

@Suite("Verifications")
struct VerificationsTests {
    @Test("the set never grows beyond its capacity and forgets first what expires first")
    func capacity() {
        var set = ExpiringSet<Int>(capacity: 3)
        for element in 0..<10 { set.insert(element, until: .seconds(10 + element), now: .zero) }
        #expect(set.count == 3)
        #expect((0..<10).filter { set.contains($0, now: .zero) } == [7, 8, 9])
        set.insert(10, until: .seconds(30), now: .seconds(18))
        #expect((0..<11).filter { set.contains($0, now: .seconds(18)) } == [9, 10])
    }
}

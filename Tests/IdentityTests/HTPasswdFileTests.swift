import Glibc
import ImageModel
import Testing

@testable import Identity

@Suite("Password file")
struct HTPasswdFileTests {
    private let time = ManualTime()
    private let faults = Collected<HTPasswdFileError>()

    private func open(_ file: TemporaryFile) throws -> HTPasswdFile {
        try HTPasswdFile(path: file.path, now: { [time] in time.now() }, onFault: { [faults] in faults.add($0) })
    }

    @Test("attributes say project, roles and user; what is missing has a default")
    func attributes() throws {
        let file = try TemporaryFile(
            """
            # the staff

            alice:\(hashOfUStarU):project=demo; roles=Member, reader ;user=u-1
            bob:\(hashOfUStarU)\r
            carol:\(hashOfUStarU):roles=admin
            dave:\(hashOfUStarU):project=a:b;roles=auditor;

            """
        )
        let users = try open(file)
        #expect(users.userCount == 4)
        let alice = try #require(users.user(named: "alice"))
        #expect(alice.project == "demo")
        #expect(alice.userID == "u-1")
        #expect(alice.roles == ["member", "reader"])
        let bob = try #require(users.user(named: "bob"))
        #expect(bob.project == "bob")
        #expect(bob.userID == "bob")
        #expect(bob.roles == ["member", "reader"])
        #expect(users.user(named: "carol")?.roles == ["admin", "manager", "member", "reader"])
        #expect(users.user(named: "dave")?.project == "a:b")
        #expect(users.user(named: "dave")?.roles == ["auditor"])
        #expect(users.user(named: "mallory") == nil)
    }

    static let broken: [(line: String, phrase: String)] = [
        ("alice", "name:bcrypt-hash"),
        (":" + hashOfUStarU, "name:bcrypt-hash"),
        ("alice:secret", "not bcrypt"),
        ("alice:$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00", "not bcrypt"),
        ("alice:\(hashOfUStarU.dropLast())", "not bcrypt"),
        ("alice:\(hashOfUStarU):project", "\"project\""),
        ("alice:\(hashOfUStarU):colour=red", "\"colour\""),
        ("alice:\(hashOfUStarU):roles=", "roles is empty"),
        ("alice:\(hashOfUStarU):roles= , ", "roles is empty"),
        ("alice:\(hashOfUStarU):project=a;project=b", "twice"),
        ("zoe:\(hashOfUStarU)", "twice"),
    ]

    @Test("a broken line stops the start with file and line, and without the hash", arguments: broken)
    func brokenLine(row: (line: String, phrase: String)) throws {
        let file = try TemporaryFile("# one\nzoe:\(hashOfUStarU)\n\(row.line)\n")
        let error = #expect(throws: HTPasswdFileError.self) { try open(file) }
        #expect(error?.line == 3)
        let text = try #require(error?.description)
        #expect(text.hasPrefix("\(file.path), line 3: "))
        #expect(text.contains(row.phrase))
        #expect(!text.contains("CCCC"))
    }

    @Test("a file that is missing, empty, no text, or no file stops the start")
    func unusable() throws {
        #expect(throws: HTPasswdFileError.self) { try open(try TemporaryFile()) }
        #expect(throws: HTPasswdFileError.self) { try open(try TemporaryFile("")) }
        #expect(throws: HTPasswdFileError.self) { try open(try TemporaryFile("# nobody\n")) }
        #expect(throws: HTPasswdFileError.self) { try open(try TemporaryFile("a\0:\(hashOfUStarU)\n")) }
        let directory = try TemporaryFile()
        #expect(throws: HTPasswdFileError.self) {
            try HTPasswdFile(path: directory.directory, onFault: { _ in })
        }
        let pipe = try TemporaryFile()
        try #require(mkfifo(pipe.path, 0o600) == 0)
        #expect(throws: HTPasswdFileError.self) { try open(pipe) }
    }

    @Test("a file that others may write to is refused", arguments: [mode_t(0o620), 0o602, 0o666])
    func writable(mode: mode_t) throws {
        let file = try TemporaryFile("alice:\(hashOfUStarU)\n", mode: mode)
        let error = #expect(throws: HTPasswdFileError.self) { try open(file) }
        #expect(error?.reason.contains("chmod go-w") == true)
    }

    @Test("a change is taken over within a second, and not looked for more often")
    func reload() throws {
        let file = try TemporaryFile("alice:\(hashOfUStarU)\n")
        let users = try open(file)
        try file.write("bob:\(hashOfUStarU)\n")
        #expect(users.user(named: "bob") == nil)
        time.advance(by: .seconds(1))
        #expect(users.user(named: "bob") != nil)
        #expect(users.user(named: "alice") == nil)
        #expect(faults.all.isEmpty)
    }

    @Test("a broken version leaves the last good one in place and is reported once")
    func brokenReload() throws {
        let file = try TemporaryFile("alice:\(hashOfUStarU)\n")
        let users = try open(file)
        let versions = ["", "alice:\(hashOfUStarU)\nbob:$2y$05$CC\n", "alice:\(hashOfUStarU)\nalice:\(hashOfUStarU)\n"]
        for (index, text) in versions.enumerated() {
            try file.write(text)
            for _ in 0..<3 {
                time.advance(by: .seconds(1))
                #expect(users.user(named: "alice") != nil)
            }
            #expect(faults.all.count == index + 1)
        }
        #expect(faults.all.last?.line == 2)
        try file.write("bob:\(hashOfUStarU)\n", mode: 0o646)
        time.advance(by: .seconds(1))
        #expect(users.user(named: "bob") == nil)
        #expect(faults.all.count == 4)
        try #require(chmod(file.path, 0o600) == 0)
        time.advance(by: .seconds(1))
        #expect(users.user(named: "bob") != nil)
        #expect(faults.all.count == 4)
    }

    @Test("a file that goes leaves its users, is reported once, and is taken over when it comes back")
    func missing() throws {
        let file = try TemporaryFile("alice:\(hashOfUStarU)\n")
        let users = try open(file)
        try #require(unlink(file.path) == 0)
        for _ in 0..<3 {
            time.advance(by: .seconds(1))
            #expect(users.user(named: "alice") != nil)
        }
        #expect(faults.all.count == 1)
        try file.write("bob:\(hashOfUStarU)\n")
        time.advance(by: .seconds(1))
        #expect(users.user(named: "bob") != nil)
    }

    @Test("a version whose last line does not end waits until it has stayed like that")
    func unfinished() throws {
        let file = try TemporaryFile("alice:\(hashOfUStarU):project=demo2\n")
        let users = try open(file)
        try file.write("alice:\(hashOfUStarU):project=dem")
        time.advance(by: .seconds(1))
        #expect(users.user(named: "alice")?.project == "demo2")
        time.advance(by: .seconds(1))
        #expect(users.user(named: "alice")?.project == "dem")
        #expect(faults.all.isEmpty)
    }
}

@Suite("Writing a password file")
struct HTPasswdWritingTests {
    private func set(_ file: TemporaryFile, _ name: String, project: String = "demo", roles: [String] = ["admin"])
        throws
    {
        try HTPasswdFile.setUser(
            path: file.path,
            name: name,
            password: "secret",
            project: project,
            roles: roles,
            cost: 4
        )
    }

    @Test("a new file holds the user, is for its owner only, and leaves nothing beside it")
    func new() throws {
        let file = try TemporaryFile()
        try HTPasswdFile.setUser(
            path: file.path,
            name: "admin",
            password: "secret",
            project: "demo",
            roles: ["admin", "audit"],
            userID: "u-1",
            cost: 4
        )
        let user = try #require(try HTPasswdFile(path: file.path, onFault: { _ in }).user(named: "admin"))
        #expect(user.project == "demo")
        #expect(user.userID == "u-1")
        #expect(user.roles == ["admin", "audit", "manager", "member", "reader"])
        #expect(BcryptHash.check(Array("secret".utf8), user.hash))
        #expect(try HTPasswdSnapshot(reading: file.path).permissions == 0o600)
        #expect(file.names() == ["htpasswd"])
    }

    @Test("a user is replaced, and comments and other users stay")
    func replacing() throws {
        let file = try TemporaryFile("# staff\nalice:\(hashOfUStarU)\n\nbob:\(hashOfUStarU):roles=reader")
        try set(file, "alice")
        try set(file, "carol")
        let users = try HTPasswdFile(path: file.path, onFault: { _ in })
        #expect(users.userCount == 3)
        #expect(users.user(named: "alice")?.project == "demo")
        #expect(users.user(named: "bob")?.roles == ["reader"])
        let kept = try #require(String(validating: try HTPasswdSnapshot(reading: file.path).bytes, as: UTF8.self))
        #expect(kept.hasPrefix("# staff\n\nbob:\(hashOfUStarU):roles=reader\nalice:$2y$04$"))
        #expect(kept.hasSuffix("\n"))
    }

    @Test("a link stays a link, and the file it leads to is replaced")
    func link() throws {
        let file = try TemporaryFile("alice:\(hashOfUStarU)\n")
        let link = file.directory + "/link"
        try #require(symlink(file.path, link) == 0)
        try HTPasswdFile.setUser(path: link, name: "bob", password: "x", project: "p", roles: ["member"], cost: 4)
        #expect(try HTPasswdFile(path: file.path, onFault: { _ in }).userCount == 2)
        var target = [CChar](repeating: 0, count: 256)
        #expect(readlink(link, &target, target.count) > 0)
    }

    @Test("values that would break the file are refused and change nothing")
    func unsuitable() throws {
        let file = try TemporaryFile("alice:\(hashOfUStarU)\n")
        let before = try HTPasswdSnapshot(reading: file.path).bytes
        for name in ["", "a:b", "#a", " a", "a\nb", "a\u{7f}"] {
            #expect(throws: ServiceError.self) { try set(file, name) }
        }
        #expect(throws: ServiceError.self) { try set(file, "a", project: "p;roles=admin") }
        #expect(throws: ServiceError.self) { try set(file, "a", roles: ["a,b"]) }
        #expect(throws: ServiceError.self) { try set(file, "a", roles: []) }
        #expect(try HTPasswdSnapshot(reading: file.path).bytes == before)
    }

    @Test("a broken file is left alone")
    func broken() throws {
        let file = try TemporaryFile("alice:\(hashOfUStarU)\nbob\n")
        let error = #expect(throws: HTPasswdFileError.self) { try set(file, "carol") }
        #expect(error?.line == 2)
        #expect(file.names() == ["htpasswd"])
    }

    @Test("many writers at once lose nobody")
    func concurrent() async throws {
        let file = try TemporaryFile()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<16 { group.addTask { try set(file, "user\(index)") } }
            try await group.waitForAll()
        }
        #expect(try HTPasswdFile(path: file.path, onFault: { _ in }).userCount == 16)
    }
}

import Glibc
import ImageModel
import Logging
import PolicyLanguage
import ServiceKit
import Synchronization
import Testing

@testable import Policy

/// A directory of its own, and what was logged.
final class PolicySite: Sendable {
    let path: String
    let log = Mutex<[String]>([])
    let clock = Mutex(ContinuousClock.now)
    /// What time it is for those who look at files, whenever these were written.
    enum FileTime { case real, atOnce, muchLater }
    private let fileTime = Mutex(FileTime.real)

    init() throws {
        var template = Array("/tmp/policy-XXXXXX".utf8CString)
        path = String(cString: try #require(mkdtemp(&template)))
        mkdir("\(path)/policy.d", 0o755)
    }

    deinit { _ = system("rm -rf \(path)") }

    func write(_ text: String, to name: String = "policy.yaml") throws {
        let file = try #require(fopen("\(path)/\(name)", "w"))
        fputs(text, file)
        fclose(file)
    }

    /// Puts a file in place of another at once.
    func replace(_ text: String, _ name: String = "policy.yaml") throws {
        try write(text, to: "new")
        rename("\(path)/new", "\(path)/\(name)")
    }

    func look(_ time: FileTime) { fileTime.withLock { $0 = time } }

    private var time: Int {
        switch fileTime.withLock({ $0 }) {
        case .real: PolicySighting.now()
        // No file is of that time yet, or will ever be.
        case .atOnce: 0
        case .muchLater: .max
        }
    }

    func pass(_ duration: Duration) { clock.withLock { $0 += duration } }

    func policy(
        asking service: (any PolicyService)? = nil,
        _ change: (inout PolicySettings) -> Void = { _ in }
    ) throws -> ImagePolicy {
        var settings = PolicySettings()
        settings.fileCandidates = ["\(path)/policy.yaml", "\(path)/policy.json"]
        settings.directoryCandidates = [["\(path)/policy.d"]]
        change(&settings)
        let logger = Logger(label: "test") { _ in Recorder(site: self) }
        let files = try PolicyFiles(settings, logger: logger, fileTime: { self.time }) { self.clock.withLock { $0 } }
        return ImagePolicy(files: files, asking: service)
    }
}

private struct Recorder: LogHandler {
    let site: PolicySite
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let details = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let line = "\(event.level): \(event.message) \(details.joined(separator: " "))"
        site.log.withLock { $0.append(line) }
    }
}

@Suite("Policy files")
struct PolicyFilesTests {
    private let site: PolicySite
    private let reader = caller(owner, "reader")

    init() throws { site = try PolicySite() }

    private func mayList(_ policy: ImagePolicy) -> Bool {
        policy.followFiles()
        return policy.allows(.getImages, .project(of: reader), reader)
    }

    @Test("without files, and with an empty one, the defaults hold")
    func defaults() throws {
        #expect(mayList(try site.policy()))
        try site.write("")
        #expect(mayList(try site.policy()))
        try site.write("# nothing\n---\n")
        #expect(mayList(try site.policy()))
    }

    @Test(
        "YAML and JSON replace defaults, lists too, and later files win",
        arguments: [
            ("policy.yaml", "get_images: \"role:admin\"\n"), ("policy.json", "{\"get_images\": \"role:admin\"}"),
            ("policy.yaml", "get_images:\n  - [\"role:admin\"]\n"), ("policy.d/10.yaml", "'get_images': '!'\n"),
        ]
    )
    func overrides(row: (name: String, text: String)) throws {
        try site.write(row.text, to: row.name)
        let policy = try site.policy()
        #expect(!mayList(policy))
        try site.replace("get_images: \"\"\n", "policy.d/20.yaml")
        #expect(mayList(policy))
    }

    @Test("a change counts at the next question, and so does its end")
    func reload() throws {
        let policy = try site.policy()
        try site.replace("get_images: '!'\n")
        #expect(!mayList(policy))
        try site.replace("get_image: '!'\n")
        #expect(mayList(policy))
        try site.replace("get_images: '!'\n", "policy.d/a")
        #expect(!mayList(policy))
        try site.write("get_images: '@'\n", to: "policy.d/a")
        #expect(mayList(policy))
    }

    @Test("whoever comes after a change has its rules, however many come at once")
    func reloadForMany() async throws {
        let policy = try site.policy()
        let further = (0..<2_000).map { "helper_\($0): 'role:a or role:b'\n" }.joined()
        for round in 0..<6 {
            try site.replace("get_images: '\(round.isMultiple(of: 2) ? "!" : "@")'\n" + further)
            let answers = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<16 { group.addTask { mayList(policy) } }
                return await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(answers == [!round.isMultiple(of: 2)])
        }
    }

    @Test("what has been lying there is not taken for half written")
    func settled() throws {
        site.look(.muchLater)
        let policy = try site.policy()
        try site.replace("get_images: '!'")
        #expect(!mayList(policy))
        unlink("\(site.path)/policy.yaml")
        #expect(mayList(policy))
    }

    @Test("what may be half written counts when it stays so")
    func unfinished() throws {
        site.look(.atOnce)
        try site.write("get_images: '!'\n")
        let policy = try site.policy()
        for (text, time) in [("", Duration.seconds(1)), ("get_images: '@'", .milliseconds(100))] {
            try site.write(text)
            #expect(!mayList(policy))
            site.pass(time - .milliseconds(50))
            #expect(!mayList(policy))
            site.pass(.milliseconds(60))
            #expect(mayList(policy))
            try site.replace("get_images: '!'\n")
            #expect(!mayList(policy))
        }
        unlink("\(site.path)/policy.yaml")
        #expect(!mayList(policy))
        site.pass(.milliseconds(110))
        #expect(mayList(policy))
    }

    @Test("an empty file is in doubt from when it was found so, whatever its times say")
    func emptied() throws {
        site.look(.muchLater)
        try site.write("get_images: '!'\n")
        let policy = try site.policy()
        try site.write("")
        #expect(!mayList(policy))
        site.pass(.milliseconds(900))
        #expect(!mayList(policy))
        // Written on meanwhile, and whole.
        try site.write("get_images: 'role:admin'\n")
        #expect(!mayList(policy))
        try site.write("")
        #expect(!mayList(policy))
        site.pass(.milliseconds(1_010))
        #expect(mayList(policy))
        // One that was empty before delays nothing.
        try site.replace("get_images: '!'\n", "policy.d/a")
        #expect(!mayList(policy))
    }

    @Test(
        "a file that cannot be read leaves the rules of before, and is reported once with its line",
        arguments: [
            ("get_images: '!'\nget_image: \"\n", "/policy.yaml:3: "), ("- a\n", "/policy.yaml:1: rules are written"),
            ("a: 1\n", "/policy.yaml:1: rule 'a' must be a text"),
            ("x: !\n", "/policy.yaml:1: rule 'x' must be a text"),
            ("a: ''\na: '!'\n", "/policy.yaml:1: named twice: a"), ("a:\n", "/policy.yaml:1: rule 'a' must be a text"),
            ("\u{1}\n", "/policy.yaml"),
        ]
    )
    func broken(row: (text: String, sentence: String)) throws {
        try site.write("get_images: '!'\n")
        let policy = try site.policy()
        site.log.withLock { $0.removeAll() }
        try site.replace(row.text)
        for _ in 0..<3 { #expect(!mayList(policy)) }
        let log = site.log.withLock { $0 }
        #expect(log.count == 1)
        #expect(log.first?.contains("error=\(site.path)\(row.sentence)") == true, "\(log)")
        let error = #expect(throws: ConfigurationError.self) { try site.policy() }
        #expect(error?.message.hasPrefix("\(site.path)\(row.sentence)") == true)
        try site.replace("get_images: '@'\n")
        #expect(mayList(policy))
    }

    @Test("warnings name file and line")
    func warnings() throws {
        try site.write(
            "get_image: 'role:a role:b'\nget_imagse: '@'\nhelper: '@'\nadd_image: 'rule:helper and rule:nobody'\n"
                + "publicize_image: 'rule:context_is_admin'\nget_images: 'http://x/y'\n"
        )
        _ = try site.policy()
        let file = "\(site.path)/policy.yaml"
        let log = site.log.withLock { $0.filter { $0.hasPrefix("warning") } }
        #expect(
            log.map { String($0.dropFirst("warning: ".count).dropLast()) } == [
                "\(file):1: rule 'get_image', column 8: 'and' or 'or' is expected here",
                "\(file):2: rule 'get_imagse' is unknown to the image service, and no other rule asks it",
                "\(file):5: rule 'publicize_image' is the same as its default and may be left out",
                "\(file):4: rule 'add_image' asks rule 'nobody', which is not defined: 'default' answers for it",
            ]
        )
    }

    @Test("the former defaults hold beside the present ones when asked for, and ownership stays")
    func formerDefaults() throws {
        let policy = try site.policy { $0.enforcesNewDefaults = false }
        let nobody = caller(owner), stranger = caller(stranger, "member")
        let image = try someImage(.public)
        #expect(policy.allows(.getImages, .project(of: nobody), nobody))
        #expect(!policy.allows(.publicizeImage, .none, nobody))
        try policy.require(.modifyImage, on: image, by: nobody)
        let error = #expect(throws: ServiceError.self) { try policy.require(.modifyImage, on: image, by: stranger) }
        #expect(error?.message == "You do not own this image")
        #expect(error?.code == .forbidden)
        for (rule, byOwner, byOther) in [
            (PolicyRule.addMember, true, false), (.deleteMember, true, false), (.modifyMember, false, true),
            (.getMember, true, true),
        ] {
            #expect(try policy.mayDo(rule, PolicyTarget(image: image, caller: nobody), by: nobody) == byOwner)
            #expect(try policy.mayDo(rule, PolicyTarget(image: image, caller: stranger), by: stranger) == byOther)
        }
    }

    @Test("a token for the system or a domain is refused by rules for projects, unless scope is not enforced")
    func scope() throws {
        var admin = caller(owner, "admin")
        let image = try someImage(.public)
        let strict = try site.policy(), lenient = try site.policy { $0.enforcesScope = false }
        for scope in [CallerToken.Scope.system("all"), .domain("d")] {
            admin.token.scope = scope
            #expect(!strict.allows(.publicizeImage, .none, admin))
            #expect(strict.isAdmin(admin))
            #expect(lenient.allows(.publicizeImage, .none, admin))
            let caller = admin
            #expect(throws: ServiceError.self) { try strict.mayDo(.publicizeImage, .none, by: caller) }
            for rule in [PolicyRule.getImage, .modifyImage] {
                let error = #expect(throws: ServiceError.self) { try strict.require(rule, on: image, by: caller) }
                // Such a caller may not even see the image.
                #expect(error?.code == .notFound)
                try lenient.require(rule, on: image, by: caller)
            }
            let error = #expect(throws: ServiceError.self) {
                try strict.requireMetadefs(.getMetadefNamespaces, by: caller)
            }
            #expect(error?.code == .forbidden)
        }
    }

    @Test("asking while files change never fails")
    func concurrency() async throws {
        let policy = try site.policy()
        await withTaskGroup { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<300 {
                        policy.followFiles()
                        #expect(policy.allows(.getMembers, .none, caller(owner, "admin")))
                    }
                }
            }
            for round in 0..<50 {
                try? site.replace("get_images: '\(round % 2 == 0 ? "!" : "@")'\n")
                await Task.yield()
            }
        }
        #expect(mayList(policy))
    }
}

@Suite("Table of defaults")
struct PolicyDefaultTests {
    @Test("every rule has one default, which reads without a problem and asks no rule that is not there")
    func complete() {
        #expect(PolicyDefault.all.map(\.rule) == PolicyRule.allCases)
        for value in PolicyDefault.all {
            #expect(PolicyTable.defaults.rules.expression(value.rule.rawValue)?.problems.isEmpty == true)
        }
        #expect(PolicyTable.defaults.warnings.isEmpty)
    }

    @Test("the sample is a policy file, also without its comment signs")
    func sample() throws {
        let sample = PolicyReference.sample
        #expect(try PolicyFile(Array(sample.utf8), path: "sample").entries.isEmpty)
        let active = sample.split(separator: "\n").filter { $0.hasPrefix("#\"") }.map { $0.dropFirst() + "\n" }.joined()
        let file = try PolicyFile(Array(active.utf8), path: "sample")
        #expect(file.entries.map(\.name) == PolicyRule.allCases.map(\.rawValue))
    }
}

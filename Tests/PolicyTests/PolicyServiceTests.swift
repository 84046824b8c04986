import ImageModel
import PolicyLanguage
import Synchronization
import Testing
import WireJSON

@testable import Policy

/// What becomes of a request when another service decides.
@Suite("Policy by another service")
struct PolicyServiceTests {
    private let site: PolicySite

    init() throws { site = try PolicySite() }

    /// Answers what it is told to, and keeps the questions.
    private final class Service: PolicyService {
        enum Answer { case yes, no, none }

        let answers: @Sendable (PolicyQuestion) -> Answer
        let asked = Mutex<[PolicyQuestion]>([])

        init(_ answers: @escaping @Sendable (PolicyQuestion) -> Answer) { self.answers = answers }

        func allows(_ question: PolicyQuestion) throws(PolicyFault) -> Bool {
            asked.withLock { $0.append(question) }
            switch answers(question) {
            case .yes: return true
            case .no: return false
            case .none: throw PolicyFault("it is away", isOutage: true)
            }
        }
    }

    private func policy(_ rules: String, _ service: Service) throws -> ImagePolicy {
        try site.write(rules)
        return try site.policy(asking: service)
    }

    @Test("it is told the rule, the whole target and who asks")
    func question() throws {
        let service = Service { _ in .yes }
        let policy = try policy("modify_image: 'http://opa/%(id)s'\n", service)
        var image = try someImage(.shared)
        image.properties = ["os_distro": "void", "empty": nil]
        var member = caller(owner, "member")
        member.user = "u"
        try policy.require(.modifyImage, on: image, by: member)
        let question = try #require(service.asked.withLock { $0.first })
        #expect(question.rule == "modify_image" && question.address == "http://opa/\(image.id)")
        #expect(question.target["project_id"] == .string(owner) && question.target["owner"] == .string(owner))
        #expect(question.target["protected"] == .bool(false) && question.target["size"] == .null)
        #expect(question.target["os_distro"] == "void" && question.target["empty"] == .null)
        #expect(question.target["locations"] == nil)
        #expect(question.credentials["roles"] == ["member"] && question.credentials["user_id"] == "u")
        #expect(question.credentials["domain_id"] == .null && question.credentials["is_admin_project"] == true)
        #expect(policy.mayBlock)
    }

    private func refusal(_ body: () throws -> Void) -> ServiceError? {
        do {
            try body()
            return nil
        } catch {
            return error as? ServiceError
        }
    }

    @Test("a no is 403, and no answer 503, whichever rule it is")
    func outcomes() throws {
        let image = try someImage(.public)
        let member = caller(owner, "member", "reader")
        let rules = ["get_image", "modify_image", "add_image"].map { "\($0): 'http://x/'\n" }.joined()
        for (answer, code) in [(Service.Answer.no, ServiceError.Code.forbidden), (.none, .unavailable)] {
            let service = Service { $0.rule == "get_image" ? .yes : answer }
            let policy = try policy(rules, service)
            let errors = [
                refusal { try policy.require(.modifyImage, on: image, by: member) },
                refusal { try policy.requireCreate(owner: owner, visibility: .private, by: member) },
            ]
            for error in errors {
                #expect(error?.code == code)
                #expect(error?.message.contains("http") == false)
            }
        }
        let policy = try policy(rules + "get_metadef_namespaces: 'http://x/'\n", Service { _ in .none })
        let errors = [
            refusal { try policy.require(.getImage, on: image, by: member) },
            refusal { _ = try policy.mayDo(.getImage, PolicyTarget(image: image, caller: member), by: member) },
            refusal { try policy.requireMetadefs(.getMetadefNamespaces, by: member) },
        ]
        #expect(errors.allSatisfy { $0?.code == .unavailable })
    }

    @Test("rules that ask nobody block nobody")
    func local() throws {
        let policy = try policy("get_images: '@'\n", Service { _ in .yes })
        #expect(!policy.mayBlock)
        #expect(!ImagePolicy().mayBlock)
    }
}

@Suite("Questions that are open at a time")
struct OpenQuestionsTests {
    private let open = OpenQuestions(limit: 3, perProject: 2)

    private func question(of project: String) -> PolicyQuestion {
        PolicyQuestion(address: "http://x", rule: "r", target: JSONObject(), credentials: JSONObject(), asker: project)
    }

    /// How many of these questions find a place while those before are open.
    private func places(_ projects: [String]) -> Int {
        guard let project = projects.first else { return 0 }
        let rest = Array(projects.dropFirst())
        do throws(PolicyFault) {
            return try open.with(question(of: project)) { 1 + places(rest) }
        } catch {
            #expect(error.isOutage && error.description.contains("'r'"))
            return places(rest)
        }
    }

    @Test("have a limit in all and one for each project, and give their places back")
    func limits() {
        for _ in 0..<3 {
            #expect(places(["a", "a", "a", "a"]) == 2)
            #expect(places(["a", "a", "a", "b"]) == 3)
            #expect(places(["a", "b", "c", "d", "a"]) == 3)
        }
    }

    @Test("give their places back behind a failure")
    func failures() throws {
        for _ in 0..<5 {
            #expect(throws: PolicyFault.self) {
                try open.with(question(of: "a")) { () throws(PolicyFault) -> Bool in throw PolicyFault("away") }
            }
        }
        #expect(try open.with(question(of: "a")) { true })
    }
}

import ArgumentParser
import ImageModel
import Policy
import PolicyLanguage
import ServiceKit
import WireJSON

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Says what a caller may do with an image, and why.",
        discussion: """
            Each rule is printed as a tree with the value of every part. The name of the rule that refused a request
            is in the service's log ("A request was refused").

            The caller is described by --roles, --project and --user, or by --token: a file with the JSON of Keystone's
            GET /v3/auth/tokens. Roles are taken as they are: what one role implies another is Keystone's business. The
            image is a file with the JSON of GET /v2/images/{id}; without one, the question is about a new image of the
            caller's project.

            With $IMAGES for the address of the image service and $ID for an image, in a shell that is set up for the
            openstack command:

              T=$(openstack token issue -f value -c id)
              V=${OS_AUTH_URL%/v3}/v3/auth/tokens
              curl -sf -H "X-Auth-Token: $T" -H "X-Subject-Token: $T" $V > token.json
              curl -sf -H "X-Auth-Token: $T" $IMAGES/v2/images/$ID > image.json
              glance-policy check --token token.json --image image.json --rule get_image

            This is what the rules say. The service finds an image only for callers who may see it (the owner, members, and
            everybody where its visibility says so), and without enforce_new_defaults only owners change it.

            The status is 0 when all the rules allow, 1 when one refuses. Without --rule every rule is asked and the
            trees are left out.
            """
    )

    @OptionGroup var input: PolicyInput

    @Option(help: "The rule; may be given several times.")
    var rule: [String] = []

    @Option(help: "The caller's roles, separated by commas.")
    var roles: String = ""

    @Option(help: "The id of the caller's project.")
    var project: String?

    @Option(help: "The id of the caller.")
    var user: String?

    @Option(help: "A file with the JSON of a validated Keystone token.")
    var token: String?

    @Option(help: "A file with the JSON of an image.")
    var image: String?

    func run() throws {
        try PolicyInput.run {
            let table = try input.table()
            let caller = try caller()
            let target = ImageTarget(try image.map { try JSONFile.object($0) }, caller: caller)
            var isRefused = false
            for name in rule.isEmpty ? table.rules.names : rule {
                let verdict = try verdict(name, table, target, caller)
                print("\(name): \(verdict)  (\(table.origins[name] ?? "default"))")
                if verdict != .allowed { isRefused = true }
                if !rule.isEmpty { explain(name, table, target, caller) }
            }
            if isRefused, !rule.isEmpty { throw ExitCode(1) }
        }
    }

    private enum Verdict: Equatable, CustomStringConvertible {
        case allowed, refused
        case refusedForScope
        case withoutAnswer(String)

        var description: String {
            switch self {
            case .allowed: "allowed"
            case .refused: "refused"
            case .refusedForScope: "refused, because the token is not for a project"
            case .withoutAnswer(let fault): "refused, because it has no answer: \(fault)"
            }
        }
    }

    private func verdict(
        _ name: String,
        _ table: PolicyTable,
        _ target: ImageTarget,
        _ caller: Caller
    ) throws -> Verdict {
        guard let index = table.rules.index(of: name) else {
            throw ProgramFailure("there is no rule '\(name)'; 'glance-policy list' prints all")
        }
        guard table.rules.isDefined(name) || rule.isEmpty else {
            throw ProgramFailure("rule '\(name)' is not defined; 'glance-policy list' prints all")
        }
        if table.wantsProject(name), caller.token.scope != .project { return .refusedForScope }
        do throws(PolicyFault) {
            return try table.rules.allows(index, target, CallerCredentials(caller)) ? .allowed : .refused
        } catch {
            return .withoutAnswer(error.description)
        }
    }

    private func explain(_ name: String, _ table: PolicyTable, _ target: ImageTarget, _ caller: Caller) {
        guard let index = table.rules.index(of: name) else { return }
        let explanation = PolicyExplanation(index, of: table.rules, target, CallerCredentials(caller))
        for line in explanation.lines {
            let text = String(repeating: "  ", count: line.depth + 1) + line.text
            let answer =
                switch line.answer {
                case .holds: "yes"
                case .fails: "no"
                case .fault(let fault): "no answer: \(fault)"
                }
            print(text + String(repeating: " ", count: max(2, 64 - text.count)) + answer)
        }
    }

    private func caller() throws -> Caller {
        var caller = Caller(
            user: user,
            project: project,
            roles: Set(roles.split(separator: ",").map { $0.split(separator: " ").joined(separator: " ").lowercased() })
        )
        if let token { try TokenFile.read(try JSONFile.object(token), into: &caller) }
        return caller
    }
}

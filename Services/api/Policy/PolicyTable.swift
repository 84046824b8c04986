internal import ImageModel
public import PolicyLanguage
public import ServiceKit

/// All rules as they hold together: defaults, and what files put in their place. A value; a reload makes a new one.
public struct PolicyTable: Sendable {
    public let rules: PolicyRules
    /// Whether any rule leaves a decision to another service.
    let asksServices: Bool
    /// Where each rule of a file comes from, as `path:line`.
    public let origins: [String: String]
    /// What is worth a warning, a sentence each.
    public let warnings: [String]
    let enforcesNewDefaults: Bool

    private struct Place: Sendable {
        var index: Int
        var isForProjects: Bool
    }

    private let places: [PolicyRule: Place]

    /// The defaults alone.
    static let defaults = PolicyTable(files: [], settings: PolicySettings())

    init(files: [PolicyFile], settings: PolicySettings) {
        var origins: [String: String] = [:]
        var overrides: [(name: String, expression: PolicyExpression)] = []
        for file in files {
            for entry in file.entries {
                origins[entry.name] = "\(file.path):\(entry.line)"
                overrides.append((entry.name, entry.expression))
            }
        }
        let defaults = PolicyDefault.all.filter { origins[$0.rule.rawValue] == nil }.map { value in
            (name: value.rule.rawValue, expression: Self.expression(value, settings))
        }
        let rules = PolicyRules(defaults + overrides, fallback: settings.defaultRule)
        var places: [PolicyRule: Place] = [:]
        for value in PolicyDefault.all {
            let index = rules.index(of: value.rule.rawValue)
            places[value.rule] = index.map {
                Place(index: $0, isForProjects: value.isForProjects && settings.enforcesScope)
            }
        }
        self.rules = rules
        asksServices = rules.haveInquiries
        self.origins = origins
        self.places = places
        enforcesNewDefaults = settings.enforcesNewDefaults
        warnings = Self.warnings(files, rules, origins, named: Set(settings.namedRules.map(\.name)))
    }

    private static func expression(_ value: PolicyDefault, _ settings: PolicySettings) -> PolicyExpression {
        guard !settings.enforcesNewDefaults, let former = value.former, !value.check.isEmpty else {
            return PolicyExpression(value.check)
        }
        return PolicyExpression("(\(value.check)) or (\(former.check))")
    }

    private static func warnings(
        _ files: [PolicyFile],
        _ rules: PolicyRules,
        _ origins: [String: String],
        named: Set<String>
    ) -> [String] {
        var warnings = files.flatMap(\.problems)
        let asked = named.union(rules.names.flatMap { rules.expression($0)?.references ?? [] })
        for (name, origin) in origins.sorted(by: { $0.key < $1.key }) {
            let expression = rules.expression(name)
            guard let rule = PolicyRule(rawValue: name) else {
                if !asked.contains(name) {
                    warnings.append(
                        "\(origin): rule '\(name)' is unknown to the image service, and no other rule asks it"
                    )
                }
                continue
            }
            if expression?.text == PolicyDefault.of(rule).check {
                warnings.append("\(origin): rule '\(name)' is the same as its default and may be left out")
            }
        }
        return warnings
            + rules.findings.map { finding in
                origins[finding.rule].map { "\($0): \(finding)" } ?? finding.description
            }
    }

    /// Reads the files as they are now.
    ///
    /// - Throws: one sentence with file and line, where one is no policy file, or names a rule that they lack.
    public init(reading settings: PolicySettings) throws(ConfigurationError) {
        try self.init(PolicySources(PolicySighting(settings), settings), settings)
    }

    init(_ sources: PolicySources, _ settings: PolicySettings) throws(ConfigurationError) {
        var files: [PolicyFile] = []
        for source in sources.files { files.append(try PolicyFile(source.bytes, path: source.path)) }
        self.init(files: files, settings: settings)
        for rule in settings.namedRules where !rules.isDefined(rule.name) {
            throw ConfigurationError("\(rule.place) names the policy rule '\(rule.name)', which is not defined")
        }
    }

    /// Whether a rule is for tokens of projects alone.
    public func wantsProject(_ name: String) -> Bool {
        PolicyRule(rawValue: name).flatMap { places[$0]?.isForProjects } ?? false
    }

    /// Why something is refused; `nil` where it is not.
    func refusal(
        of rule: PolicyRule,
        _ target: PolicyTarget,
        _ caller: Caller,
        asking service: (any PolicyService)? = nil
    ) -> PolicyRefusal.Reason? {
        guard let place = places[rule] else { return .denied }
        if place.isForProjects, caller.token.scope != .project { return .scope }
        return refusal(at: place.index, target, caller, service)
    }

    /// The same for a rule by its name, whoever defined it; for one that nobody did, no other answers.
    func refusal(
        ofRule name: String,
        _ target: PolicyTarget,
        _ caller: Caller,
        asking service: (any PolicyService)? = nil
    ) -> PolicyRefusal.Reason? {
        guard rules.isDefined(name), let index = rules.index(of: name) else { return .denied }
        return refusal(at: index, target, caller, service)
    }

    private func refusal(
        at index: Int,
        _ target: PolicyTarget,
        _ caller: Caller,
        _ service: (any PolicyService)?
    ) -> PolicyRefusal.Reason? {
        let inquiry = PolicyServiceInquiry(service: service, target: target, caller: caller)
        do throws(PolicyFault) {
            return try rules.allows(index, target, CallerCredentials(caller), asking: inquiry) ? nil : .denied
        } catch {
            return error.isOutage ? .unanswered(error.description) : .fault(error.description)
        }
    }
}

internal import PolicyLanguage
internal import ServiceKit
internal import Yams

/// The rules of one policy file: a YAML mapping of names to rules, of which JSON is a part (oslo.policy, "Policy rules").
struct PolicyFile: Sendable {
    struct Entry: Sendable {
        var name: String
        var expression: PolicyExpression
        /// Counted from 1.
        var line: Int
    }

    let path: String
    private(set) var entries: [Entry] = []

    /// Reads a file's text. An empty one has no rules.
    ///
    /// - Throws: one sentence with file and line, where it is no policy file at all. A single rule that cannot be read
    ///   is denied instead, and is among ``problems``.
    init(_ bytes: [UInt8], path: String) throws(ConfigurationError) {
        self.path = path
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError("\(path): is not UTF-8 text")
        }
        guard let root = try Self.compose(text, path) else { return }
        if case .scalar(let scalar) = root, scalar.style == .plain, root.tag.rawValue == Tag.Name.null.rawValue {
            return
        }
        guard case .mapping(let mapping) = root else {
            throw ConfigurationError("\(path):\(root.mark?.line ?? 1): rules are written 'name: \"rule\"', one a line")
        }
        for (key, value) in mapping {
            let line = key.mark?.line ?? 1
            guard case .scalar(let name) = key else {
                throw ConfigurationError("\(path):\(line): the name of a rule must be a text")
            }
            guard let expression = Self.expression(value) else {
                throw ConfigurationError(
                    "\(path):\(line): rule '\(name.string)' must be a text in quotation marks, or a list of lists of texts"
                )
            }
            entries.append(Entry(name: name.string, expression: expression, line: line))
        }
    }

    /// What is wrong with single rules, each with its place.
    var problems: [String] {
        entries.flatMap { entry in
            entry.expression.problems.map { "\(path):\(entry.line): rule '\(entry.name)', \($0)" }
        }
    }

    private static func compose(_ text: String, _ path: String) throws(ConfigurationError) -> Node? {
        do {
            return try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw ConfigurationError("\(path)\(sentence(error))")
        } catch {
            throw ConfigurationError("\(path): cannot be read as YAML")
        }
    }

    private static func sentence(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            ":\(mark.line): \(problem) in column \(mark.column)"
        case .duplicatedKeysInMapping(let names, let context):
            ":\(context.mark.line): named twice: \(names.sorted().joined(separator: ", "))"
        default: ": cannot be read as YAML"
        }
    }

    /// - Returns: `nil` for what is no rule: a number, a truth value, nothing at all.
    private static func expression(_ node: Node) -> PolicyExpression? {
        if let text = text(node) { return PolicyExpression(text) }
        guard case .sequence(let sequence) = node else { return nil }
        var lists: [[String]] = []
        for element in sequence {
            if let text = text(element) {
                // An empty text is as good as an empty list.
                lists.append(text.isEmpty ? [] : [text])
            } else if case .sequence(let inner) = element {
                let words = inner.map(text)
                guard !words.contains(nil) else { return nil }
                lists.append(words.compactMap { $0 })
            } else {
                return nil
            }
        }
        return PolicyExpression(lists: lists)
    }

    /// Only what YAML itself takes for text. An unquoted `!` is an empty text to YAML, which would allow everybody.
    private static func text(_ node: Node) -> String? {
        guard case .scalar(let scalar) = node, node.tag.rawValue == Tag.Name.str.rawValue,
            !scalar.string.isEmpty || scalar.style != .plain
        else { return nil }
        return scalar.string
    }
}

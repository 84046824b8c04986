/// The right side of a check: text in which `%(name)s` stands for a value of the target, and `%%` for a percent sign.
public struct PolicyPattern: Sendable, Equatable {
    enum Part: Sendable, Equatable {
        case text(String)
        case key(String)
        /// A percent sign that introduces anything else; always the last part.
        case malformed
    }

    let parts: [Part]

    init(_ source: String) {
        var parts: [Part] = []
        var text = ""
        var rest = source[...]
        while let percent = rest.firstIndex(of: "%") {
            text += rest[..<percent]
            rest = rest[percent...].dropFirst()
            switch rest.popFirst() {
            case "%": text += "%"
            // The whole target in Python's notation, which nothing is equal to.
            case "s", "r", "a": text += "{target}"
            case let next:
                if !text.isEmpty { parts.append(.text(text)) }
                text = ""
                if next == "(", let key = Self.key(&rest) {
                    parts.append(.key(key))
                    if rest.popFirst() == "s" { continue }
                }
                self.parts = parts + [.malformed]
                return
            }
        }
        text += rest
        if !text.isEmpty || parts.isEmpty { parts.append(.text(text)) }
        self.parts = parts
    }

    private init(parts: [Part]) { self.parts = parts }

    /// Takes `name)` off. Parentheses within a name come in pairs.
    private static func key(_ rest: inout Substring) -> String? {
        var depth = 1
        for index in rest.indices {
            if rest[index] == "(" { depth += 1 }
            if rest[index] == ")" { depth -= 1 }
            guard depth == 0 else { continue }
            defer { rest = rest[index...].dropFirst() }
            return String(rest[..<index])
        }
        return nil
    }

    /// The same with its own text in lower case.
    func lowercased() -> PolicyPattern {
        PolicyPattern(
            parts: parts.map { part in
                if case .text(let text) = part { .text(text.lowercased()) } else { part }
            }
        )
    }

    var isMalformed: Bool { parts.last == .malformed }

    static let malformation = "a % that is neither %(name)s nor %%"

    /// - Returns: `nil` where the target lacks a name.
    /// - Throws: where it comes to a malformed part before that.
    func text(for target: some PolicyTargetValues) throws(PolicyFault) -> String? {
        if parts.count == 1 {
            switch parts[0] {
            case .text(let text): return text
            case .key(let key): return target.text(of: key)
            case .malformed: throw PolicyFault(Self.malformation)
            }
        }
        var result = ""
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .key(let key):
                guard let value = target.text(of: key) else { return nil }
                result += value
            case .malformed: throw PolicyFault(Self.malformation)
            }
        }
        return result
    }
}

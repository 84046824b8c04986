/// The left side of a check: a literal of Python, or a dotted path of names.
enum PythonLiteral: Equatable {
    /// The literal as Python prints it.
    case text(String)
    case path([String])
    /// What Python cannot read.
    case invalid

    init(_ source: String) {
        switch source {
        case "True", "False", "None": self = .text(source)
        default:
            if let path = Self.path(source) {
                self = .path(path)
            } else if let text = Self.string(source) ?? Self.number(source) ?? Self.list(source) {
                self = .text(text)
            } else {
                self = .invalid
            }
        }
    }

    /// Names between dots. What Python takes for a sum of names, it looks for under that very name.
    private static func path(_ source: String) -> [String]? {
        let names = source.split(separator: ".", omittingEmptySubsequences: false)
        return names.allSatisfy(isName) ? names.map { String($0) } : nil
    }

    private static func isName(_ text: Substring) -> Bool {
        let words = text.unicodeScalars.split(omittingEmptySubsequences: false) {
            "-+%*/|&^".unicodeScalars.contains($0)
        }
        return words.allSatisfy { isIdentifier($0) || (words.count > 1 && isInteger($0)) }
    }

    private static func isIdentifier(_ word: Substring.UnicodeScalarView) -> Bool {
        guard let first = word.first, first == "_" || first.properties.isAlphabetic else { return false }
        return !keywords.contains(String(word))
            && word.allSatisfy { $0 == "_" || $0.properties.isAlphabetic || $0.properties.numericType == .decimal }
    }

    private static func isInteger(_ word: Substring.UnicodeScalarView) -> Bool {
        !word.isEmpty && word.allSatisfy { ("0"..."9").contains($0) } && (word.first != "0" || word.count == 1)
    }

    /// What Python does not take for a name.
    private static let keywords: Set<String> = [
        "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
        "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass",
        "raise", "return", "try", "while", "with", "yield",
    ]

    private static func string(_ source: String) -> String? {
        guard let quote = source.first, quote == "'" || quote == "\"", source.count >= 2, source.last == quote else {
            return nil
        }
        var text = ""
        var isEscaped = false
        for character in source.dropFirst().dropLast() {
            switch (isEscaped, character) {
            case (false, "\\"): isEscaped = true
            case (false, quote): return nil
            case (false, _): text.append(character)
            case (true, _):
                switch character {
                case "\\", "'", "\"": text.append(character)
                case "n": text.append("\n")
                case "t": text.append("\t")
                case "r": text.append("\r")
                // Numbers of characters, and what Python has no meaning for either.
                default: return nil
                }
                isEscaped = false
            }
        }
        return isEscaped ? nil : text
    }

    private static func number(_ source: String) -> String? {
        let isNegative = source.hasPrefix("-")
        let magnitude = isNegative || source.hasPrefix("+") ? String(source.dropFirst()) : source
        guard let first = magnitude.utf8.first, first >= 0x30 && first <= 0x39 || first == UInt8(ascii: ".") else {
            return nil
        }
        // An underscore stands between two digits.
        guard !magnitude.hasSuffix("_"), !magnitude.contains("__") else { return nil }
        let digits = magnitude.filter { $0 != "_" }
        if digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
            let isZero = digits.utf8.allSatisfy { $0 == 0x30 }
            guard isZero || first != 0x30 else { return nil }
            return isZero ? "0" : (isNegative ? "-" : "") + digits
        }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.lowercased().hasPrefix(prefix) {
            return Int(digits.dropFirst(2), radix: radix).map { String(isNegative ? -$0 : $0) }
        }
        guard digits.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || "eE+-.".utf8.contains($0) }) else { return nil }
        guard digits.utf8.contains(where: { $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        // Swift wants digits on both sides of the point, Python on one.
        let padded = (digits.hasPrefix(".") ? "0" : "") + (digits.hasSuffix(".") ? digits + "0" : digits)
        return Double(padded).map { String(isNegative ? -$0 : $0) }
    }

    /// A list of literals that are no lists themselves.
    private static func list(_ source: String) -> String? {
        guard source.hasPrefix("["), source.hasSuffix("]"), source.count >= 2 else { return nil }
        let inside = source.dropFirst().dropLast()
        if inside.isEmpty { return "[]" }
        var printed: [String] = []
        for element in inside.split(separator: ",", omittingEmptySubsequences: false) {
            let element = String(element)
            if let text = string(element) {
                guard !text.contains("'"), !text.contains("\\") else { return nil }
                printed.append("'\(text)'")
            } else if let text = number(element) {
                printed.append(text)
            } else if ["True", "False", "None"].contains(element) {
                printed.append(element)
            } else {
                return nil
            }
        }
        return "[" + printed.joined(separator: ", ") + "]"
    }
}

/// A word of a rule's text, with the column of its first character, counted from 1.
struct PolicyWord: Equatable {
    enum Kind: Equatable {
        case open, close, and, or, not
        case check(String)
        /// A quoted text that stands alone.
        case quoted(String)
    }

    let kind: Kind
    let column: Int

    /// Words stand between blanks. Parentheses at a word's beginning and end are words of their own; those within
    /// belong to it, since `%(name)s` has them.
    static func words(of text: String) -> [PolicyWord] {
        var words: [PolicyWord] = []
        var word: [Unicode.Scalar] = []
        var column = 0
        for scalar in text.unicodeScalars {
            column += 1
            if scalar.isBlank {
                append(word, endingBefore: column, to: &words)
                word.removeAll(keepingCapacity: true)
            } else {
                word.append(scalar)
            }
        }
        append(word, endingBefore: column + 1, to: &words)
        return words
    }

    private static func append(_ word: [Unicode.Scalar], endingBefore end: Int, to words: inout [PolicyWord]) {
        guard !word.isEmpty else { return }
        let start = end - word.count
        let opening = word.prefix { $0 == "(" }.count
        for offset in 0..<opening { words.append(PolicyWord(kind: .open, column: start + offset)) }
        let rest = word.dropFirst(opening)
        let closing = rest.reversed().prefix { $0 == ")" }.count
        let core = rest.dropLast(closing)
        if !core.isEmpty {
            words.append(PolicyWord(kind: kind(of: core, isWhole: closing == 0), column: start + opening))
        }
        for offset in 0..<closing { words.append(PolicyWord(kind: .close, column: end - closing + offset)) }
    }

    private static func kind(of scalars: ArraySlice<Unicode.Scalar>, isWhole: Bool) -> Kind {
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars)
        switch text.lowercased() {
        case "and": return .and
        case "or": return .or
        case "not": return .not
        default: break
        }
        // As in the reference, quotation marks count only where no parenthesis follows them.
        let isQuoted =
            scalars.count >= 2 && scalars.first == scalars.last && (scalars.first == "'" || scalars.first == "\"")
        return isWhole && isQuoted ? .quoted(text) : .check(text)
    }
}

extension Unicode.Scalar {
    /// What Python takes for white space.
    fileprivate var isBlank: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }
}

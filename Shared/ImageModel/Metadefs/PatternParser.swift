/// Reads a regular expression of the dialect of ``LinearPattern``. Every function gives `nil` for what is not in it.
struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private static let depthLimit = 32

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    mutating func whole() -> PatternTree? {
        guard let tree = alternatives(), next == nil else { return nil }
        return tree
    }

    private mutating func alternatives() -> PatternTree? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { return nil }
        var choices: [PatternTree] = []
        repeat {
            guard let choice = sequence() else { return nil }
            choices.append(choice)
        } while take("|")
        return choices.count == 1 ? choices[0] : .alternatives(choices)
    }

    private mutating func sequence() -> PatternTree? {
        var parts: [PatternTree] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            guard let atom = atom(), let part = repetition(of: atom) else { return nil }
            parts.append(part)
        }
        return .sequence(parts)
    }

    private mutating func atom() -> PatternTree? {
        guard let scalar = next else { return nil }
        position += 1
        switch scalar {
        case "^": return .start
        case "$": return .end
        case ".": return .scalar(LinearPattern.Scalars(ranges: [10...10, 13...13, 0x2028...0x2029], isInverted: true))
        case "(":
            if take("?"), !take(":") { return nil }
            guard let inner = alternatives(), take(")") else { return nil }
            return inner
        case "[": return characterClass().map { .scalar($0) }
        case "\\": return escape().map { .scalar($0) }
        case "*", "+", "?", "{", "}", "]", ")": return nil
        default: return .scalar(LinearPattern.Scalars(ranges: [scalar.value...scalar.value]))
        }
    }

    private mutating func repetition(of atom: PatternTree) -> PatternTree? {
        var least = 1
        var most: Int? = 1
        switch next {
        case "*": (least, most) = (0, nil)
        case "+": (least, most) = (1, nil)
        case "?": (least, most) = (0, 1)
        case "{":
            position += 1
            guard let count = number() else { return nil }
            least = count
            most = count
            if take(",") {
                most = next == "}" ? nil : number()
                if most == nil, next != "}" { return nil }
            }
            guard next == "}", most.map({ $0 >= least }) ?? true else { return nil }
        default: return atom
        }
        position += 1
        // Which match is found first does not matter: only whether there is one.
        _ = take("?")
        if case .start = atom { return nil }
        if case .end = atom { return nil }
        return .repeated(atom, least: least, most: most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = next?.value, (48...57).contains(digit) {
            value = (value ?? 0) * 10 + Int(digit - 48)
            guard let value, value <= LinearPattern.countLimit else { return nil }
            position += 1
        }
        return value
    }

    private static let digits: [ClosedRange<UInt32>] = [48...57]
    private static let words: [ClosedRange<UInt32>] = [48...57, 65...90, 95...95, 97...122]
    private static let spaces: [ClosedRange<UInt32>] = [
        9...13, 32...32, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
        0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
    ]

    private mutating func escape() -> LinearPattern.Scalars? {
        guard let scalar = next else { return nil }
        position += 1
        func one(_ value: UInt32) -> LinearPattern.Scalars { LinearPattern.Scalars(ranges: [value...value]) }
        switch scalar {
        case "d": return LinearPattern.Scalars(ranges: Self.digits)
        case "D": return LinearPattern.Scalars(ranges: Self.digits, isInverted: true)
        case "w": return LinearPattern.Scalars(ranges: Self.words)
        case "W": return LinearPattern.Scalars(ranges: Self.words, isInverted: true)
        case "s": return LinearPattern.Scalars(ranges: Self.spaces)
        case "S": return LinearPattern.Scalars(ranges: Self.spaces, isInverted: true)
        case "t": return one(9)
        case "n": return one(10)
        case "r": return one(13)
        default:
            // Letters and digits have meanings that are not taken, such as referring back.
            let isWord = Self.words.contains { $0.contains(scalar.value) } && scalar != "_"
            return isWord ? nil : one(scalar.value)
        }
    }

    private mutating func characterClass() -> LinearPattern.Scalars? {
        let isInverted = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        while let scalar = next, scalar != "]" {
            guard let first = member() else { return nil }
            guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
                guard !first.isInverted else { return nil }
                ranges += first.ranges
                continue
            }
            position += 1
            guard let last = member(), let from = first.single, let to = last.single, from <= to else { return nil }
            ranges.append(from...to)
        }
        guard take("]") else { return nil }
        return LinearPattern.Scalars(ranges: ranges, isInverted: isInverted)
    }

    private mutating func member() -> LinearPattern.Scalars? {
        guard let scalar = next else { return nil }
        position += 1
        return scalar == "\\" ? escape() : LinearPattern.Scalars(ranges: [scalar.value...scalar.value])
    }
}

extension LinearPattern.Scalars {
    fileprivate var single: UInt32? {
        guard !isInverted, ranges.count == 1, ranges[0].count == 1 else { return nil }
        return ranges[0].lowerBound
    }
}

/// A regular expression that is matched in a time that grows with the text's length alone, whatever the expression:
/// definitions bring their own, and no request may wait for one that backtracks.
///
/// Taken from JSON Schema's dialect (ECMA 262): literals, `.`, classes, `\d \w \s` and their opposites, groups,
/// alternatives, `* + ?` and counts up to ``countLimit``, lazy ones too, and the anchors `^` and `$` at the ends of
/// alternatives. Like there, it matches anywhere in the text unless it is anchored.
public struct LinearPattern: Sendable {
    static let countLimit = 255
    /// How many steps an expression may have once its counts are written out.
    static let sizeLimit = 4_096

    enum Step: Sendable {
        case scalar(Scalars)
        case start
        case end
        case split(Int, Int)
        case jump(Int)
        case match
    }

    /// A set of scalars: ranges, or all others.
    struct Scalars: Sendable, Equatable {
        var ranges: [ClosedRange<UInt32>]
        var isInverted = false

        func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } != isInverted }
    }

    private let steps: [Step]

    /// - Returns: `nil` for what is no expression of this dialect, such as one that looks ahead or refers back.
    public init?(_ text: String) {
        var parser = PatternParser(text)
        guard let tree = parser.whole() else { return nil }
        var compiler = PatternCompiler()
        guard compiler.compile(tree), compiler.append(.match) else { return nil }
        steps = compiler.steps
    }

    /// Whether the text holds a match.
    public func matches(_ text: String) -> Bool {
        let scalars = text.unicodeScalars.map(\.value)
        var current = Threads(count: steps.count)
        for position in 0...scalars.count {
            // A match may begin at every position.
            add(0, at: position, of: scalars.count, to: &current)
            if current.isMatch { return true }
            guard position < scalars.count else { break }
            var next = Threads(count: steps.count)
            for step in current.steps {
                guard case .scalar(let set) = steps[step], set.contains(scalars[position]) else { continue }
                add(step + 1, at: position + 1, of: scalars.count, to: &next)
            }
            current = next
            if current.isMatch { return true }
        }
        return false
    }

    /// The steps that have been reached at one position.
    private struct Threads {
        var steps: [Int] = []
        var isMatch = false
        var seen: [Bool]

        init(count: Int) { seen = Array(repeating: false, count: count) }
    }

    /// Follows everything that takes no character.
    private func add(_ first: Int, at position: Int, of end: Int, to threads: inout Threads) {
        var open = [first]
        while let step = open.popLast() {
            guard !threads.seen[step] else { continue }
            threads.seen[step] = true
            switch steps[step] {
            case .scalar: threads.steps.append(step)
            case .start: if position == 0 { open.append(step + 1) }
            case .end: if position == end { open.append(step + 1) }
            case .split(let one, let other): open += [one, other]
            case .jump(let target): open.append(target)
            case .match: threads.isMatch = true
            }
        }
    }
}

/// An expression as it is written.
indirect enum PatternTree {
    case scalar(LinearPattern.Scalars)
    case start
    case end
    case sequence([PatternTree])
    case alternatives([PatternTree])
    case repeated(PatternTree, least: Int, most: Int?)
}

/// Writes a tree out as steps.
private struct PatternCompiler {
    private(set) var steps: [LinearPattern.Step] = []

    mutating func append(_ step: LinearPattern.Step) -> Bool {
        steps.append(step)
        return steps.count <= LinearPattern.sizeLimit
    }

    /// - Returns: whether there was room.
    mutating func compile(_ tree: PatternTree) -> Bool {
        switch tree {
        case .scalar(let set): return append(.scalar(set))
        case .start: return append(.start)
        case .end: return append(.end)
        case .sequence(let parts):
            for part in parts { guard compile(part) else { return false } }
            return true
        case .alternatives(let choices): return compile(choices: choices[...])
        case .repeated(let part, let least, let most): return compile(part, least, most)
        }
    }

    private mutating func compile(choices: ArraySlice<PatternTree>) -> Bool {
        guard let first = choices.first else { return true }
        guard choices.count > 1 else { return compile(first) }
        let split = steps.count
        guard append(.jump(0)), compile(first) else { return false }
        let jump = steps.count
        guard append(.jump(0)) else { return false }
        steps[split] = .split(split + 1, steps.count)
        guard compile(choices: choices.dropFirst()) else { return false }
        steps[jump] = .jump(steps.count)
        return true
    }

    private mutating func compile(_ part: PatternTree, _ least: Int, _ most: Int?) -> Bool {
        for _ in 0..<least { guard compile(part) else { return false } }
        guard let most else {
            let split = steps.count
            guard append(.jump(0)), compile(part), append(.jump(split)) else { return false }
            steps[split] = .split(split + 1, steps.count)
            return true
        }
        var splits: [Int] = []
        for _ in least..<max(least, most) {
            splits.append(steps.count)
            guard append(.jump(0)), compile(part) else { return false }
        }
        for split in splits { steps[split] = .split(split + 1, steps.count) }
        return true
    }
}

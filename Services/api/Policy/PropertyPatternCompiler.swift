/// A regular expression taken apart.
indirect enum PropertyPatternNode {
    case scalar(ScalarSet)
    case assertion(PropertyPattern.Step)
    case sequence([PropertyPatternNode])
    case choice([PropertyPatternNode])
    case repetition(PropertyPatternNode, atLeast: Int, atMost: Int?)
}

/// Turns a tree into steps. Counted repetitions are written out, which the limit bounds.
struct PropertyPatternCompiler {
    private(set) var steps: [PropertyPattern.Step] = []

    static let limit = 5_000

    mutating func append(_ node: PropertyPatternNode) throws(PropertyPatternError) {
        guard steps.count < Self.limit else { throw PropertyPatternError(reason: "it is too large", position: 1) }
        switch node {
        case .scalar(let set): steps.append(.scalar(set))
        case .assertion(let step): steps.append(step)
        case .sequence(let parts): for part in parts { try append(part) }
        case .choice(let branches): try append(branches[...])
        case .repetition(let part, let atLeast, let atMost):
            for _ in 0..<atLeast { try append(part) }
            if let atMost {
                for _ in atLeast..<atMost { try appendOptional(part) }
            } else {
                let start = steps.count
                try appendOptional(part)
                // Round again instead of leaving.
                steps.append(.jump(start))
                if case .split(let one, _) = steps[start] { steps[start] = .split(one, steps.count) }
            }
        }
    }

    private mutating func append(_ branches: ArraySlice<PropertyPatternNode>) throws(PropertyPatternError) {
        var ends: [Int] = []
        for (index, branch) in zip(branches.indices, branches) {
            guard index < branches.endIndex - 1 else {
                try append(branch)
                break
            }
            let start = steps.count
            steps.append(.split(start + 1, start + 1))
            try append(branch)
            ends.append(steps.count)
            steps.append(.jump(0))
            steps[start] = .split(start + 1, steps.count)
        }
        for end in ends { steps[end] = .jump(steps.count) }
    }

    private mutating func appendOptional(_ part: PropertyPatternNode) throws(PropertyPatternError) {
        let start = steps.count
        steps.append(.split(start + 1, start + 1))
        try append(part)
        steps[start] = .split(start + 1, steps.count)
    }
}

/// A regular expression taken apart.
indirect enum LinearPatternNode {
    case scalar(ScalarSet)
    case assertion(LinearPattern.Step)
    case sequence([LinearPatternNode])
    case choice([LinearPatternNode])
    case repetition(LinearPatternNode, atLeast: Int, atMost: Int?)
}

/// Turns a tree into steps. Counted repetitions are written out, which the limit bounds.
struct LinearPatternCompiler {
    private(set) var steps: [LinearPattern.Step] = []
    /// What it took to write the steps, and what a search takes for each scalar of a text at most.
    private(set) var size = 0

    /// Room for an expression of some 5000 characters, such as a long list of names.
    static let limit = 16_000

    mutating func append(_ node: LinearPatternNode) throws(LinearPatternError) {
        // Nodes count too: empty ones write nothing, and may be repeated all the same.
        try grow(by: 1)
        switch node {
        case .scalar(let set): try append(.scalar(set), size: set.size)
        case .assertion(let step): try append(step)
        case .sequence(let parts): for part in parts { try append(part) }
        case .choice(let branches): try append(branches)
        case .repetition(let part, let atLeast, let atMost):
            for _ in 0..<atLeast { try append(part) }
            if let atMost {
                for _ in atLeast..<max(atLeast, atMost) { try appendOptional(part) }
            } else {
                let start = steps.count
                try appendOptional(part)
                // Round again instead of leaving.
                try append(.jump(start))
                if case .split(let one, _) = steps[start] { steps[start] = .split(one, steps.count) }
            }
        }
    }

    private mutating func append(_ branches: [LinearPatternNode]) throws(LinearPatternError) {
        var ends: [Int] = []
        for branch in branches.dropLast() {
            let start = steps.count
            try append(.split(start + 1, start + 1))
            try append(branch)
            ends.append(steps.count)
            try append(.jump(0))
            steps[start] = .split(start + 1, steps.count)
        }
        if let last = branches.last { try append(last) }
        for end in ends { steps[end] = .jump(steps.count) }
    }

    private mutating func appendOptional(_ part: LinearPatternNode) throws(LinearPatternError) {
        let start = steps.count
        try append(.split(start + 1, start + 1))
        try append(part)
        steps[start] = .split(start + 1, steps.count)
    }

    private mutating func append(_ step: LinearPattern.Step, size: Int = 1) throws(LinearPatternError) {
        try grow(by: size)
        steps.append(step)
    }

    private mutating func grow(by amount: Int) throws(LinearPatternError) {
        size += amount
        guard size <= Self.limit else { throw LinearPatternError(reason: "it is too large", position: 1) }
    }
}

/// Some of all Unicode scalars.
struct ScalarSet: Sendable {
    enum Member: Sendable {
        case range(ClosedRange<UInt32>)
        case digit(Bool), word(Bool), space(Bool)
    }

    var members: [Member]
    var isNegated = false
    var ignoresCase = false

    /// How much it may take to ask about a scalar.
    var size: Int { 1 + members.count * (ignoresCase ? 3 : 1) }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        var found = holds(scalar)
        if !found, ignoresCase { found = Self.otherCases(of: scalar).contains(where: holds) }
        return found != isNegated
    }

    private func holds(_ scalar: Unicode.Scalar) -> Bool {
        members.contains { member in
            switch member {
            case .range(let range): range.contains(scalar.value)
            case .digit(let wanted): (scalar.properties.numericType == .decimal) == wanted
            case .word(let wanted): scalar.isWord == wanted
            case .space(let wanted): scalar.isSpace == wanted
            }
        }
    }

    private static func otherCases(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping].compactMap { mapping in
            mapping.unicodeScalars.count == 1 ? mapping.unicodeScalars.first : nil
        }
    }
}

extension Unicode.Scalar {
    /// Letters, digits and the underscore, as Python counts them.
    var isWord: Bool {
        if self == "_" || properties.numericType != nil { return true }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
        default: return false
        }
    }

    fileprivate var isSpace: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }
}

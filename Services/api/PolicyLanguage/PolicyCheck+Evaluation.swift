extension PolicyCheck {
    /// Whether it holds; for every check but `rule:`, which its rules answer.
    ///
    /// - Parameter rule: The rule that was asked.
    /// - Throws: ``PolicyFault`` where the reference fails, too, or nobody can be asked.
    func holds(
        for rule: String,
        _ target: some PolicyTargetValues,
        _ credentials: some PolicyCredentials,
        asking inquirer: some PolicyInquirer
    ) throws(PolicyFault) -> Bool {
        switch self {
        case .always: return true
        case .never, .rule: return false
        case .role(let pattern):
            guard let name = try pattern.text(for: target) else { return false }
            if case .text = pattern.parts.first, pattern.parts.count == 1 { return credentials.hasRole(name) }
            return credentials.hasRole(name.lowercased())
        case .literal(let text, let pattern):
            return try pattern.text(for: target)?.isIdentical(to: text) ?? false
        case .credential(let path, let pattern):
            guard let expected = try pattern.text(for: target) else { return false }
            guard let name = path.first, let value = credentials.value(of: name) else { return false }
            return try value.anyHolds(expected, at: path.dropFirst())
        case .remote(let pattern):
            guard let address = try pattern.text(for: target) else {
                throw PolicyFault("the target has not what the address of the other service is made of")
            }
            return try inquirer.allows(rule, at: address)
        case .broken(let reason, let pattern):
            guard try pattern.text(for: target) != nil else { return false }
            throw PolicyFault(reason)
        }
    }
}

import PolicyLanguage

/// Rules, one a line; every one is asked. Nothing may crash, and no answer may take long.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: data, count: count), as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let rules = PolicyRules(
        lines.enumerated().map { index, line in ("r\(index)", PolicyExpression(String(line))) },
        fallback: "r1"
    )
    for index in rules.names.indices {
        let holds = try? rules.allows(index, Everything(), Everything())
        let lines = PolicyExplanation(index, of: rules, Everything(), Everything()).lines
        // The explanation and the evaluation may not contradict each other.
        if let holds, let whole = lines.first { precondition((whole.answer == .holds) == holds) }
    }
    return 0
}

private struct Everything: PolicyTargetValues, PolicyCredentials {
    func text(of key: String) -> String? { key == "missing" ? nil : key }
    func hasRole(_ name: String) -> Bool { name == "member" }
    func value(of name: String) -> PolicyValue? {
        name == "missing" ? nil : .list([.text(name), .object(["x": .list([.text("y")])])])
    }
}

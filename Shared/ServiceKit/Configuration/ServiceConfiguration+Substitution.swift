extension ServiceConfiguration {
    /// Puts in other options' values: `$name`, `${name}` (same section, then `DEFAULT`), `$group.name`, `${group.name}`;
    /// `$$` and `\$` are a literal `$` (oslo.config, "Option value interpolation"). A name that is not set anywhere, and
    /// one that leads back to itself, stay as they are written.
    func substituted(_ text: String, in section: String) -> String { substituted(text, in: section, within: []) }

    private func substituted(_ text: String, in section: String, within: [OptionName]) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "$") {
                result.append(UInt8(ascii: "$"))
                rest.removeFirst()
                continue
            }
            guard byte == UInt8(ascii: "$") else {
                result.append(byte)
                continue
            }
            if rest.first == UInt8(ascii: "$") {
                result.append(UInt8(ascii: "$"))
                rest.removeFirst()
            } else if let reference = Reference(at: rest),
                let value = value(of: reference.name, in: section, within: within)
            {
                result.append(contentsOf: value.utf8)
                rest = rest.dropFirst(reference.byteCount)
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private func value(of reference: String, in section: String, within: [OptionName]) -> String? {
        var candidates = [OptionName(section, reference), OptionName("DEFAULT", reference)]
        if let dot = reference.firstIndex(of: ".") {
            candidates.insert(
                OptionName(String(reference[..<dot]), String(reference[reference.index(after: dot)...])),
                at: 0
            )
        }
        for candidate in candidates where !within.contains(candidate) {
            guard let setting = setting(candidate) else { continue }
            return substituted(setting.text, in: candidate.section, within: within + [candidate])
        }
        return nil
    }
}

/// What follows a `$`.
private struct Reference {
    var name: String
    /// Bytes after the `$` that it takes, braces included.
    var byteCount: Int

    init?(at text: ArraySlice<UInt8>) {
        let isBraced = text.first == UInt8(ascii: "{")
        let body = isBraced ? text.dropFirst() : text
        guard let first = body.first, first == UInt8(ascii: "_") || first.isLetter else { return nil }
        var name = body.prefix { byte in
            byte.isLetter || byte.isDigit || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
                || (isBraced && byte == UInt8(ascii: "-"))
        }
        if isBraced {
            guard body.dropFirst(name.count).first == UInt8(ascii: "}") else { return nil }
        } else {
            while name.last == UInt8(ascii: ".") { name.removeLast() }
        }
        self.name = String(decoding: name, as: UTF8.self)
        byteCount = name.count + (isBraced ? 2 : 0)
    }
}

extension UInt8 {
    fileprivate var isLetter: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
    }

    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}

extension StringProtocol {
    /// The text without spaces, tabs and line ends around it.
    var trimmed: String {
        String(decoding: Array(utf8)[...].trimmed, as: UTF8.self)
    }

    /// What one pair of equal quotation marks encloses, or the text itself where there is none.
    var unquoted: String {
        String(decoding: Array(utf8)[...].unquoted, as: UTF8.self)
    }
}

extension ArraySlice<UInt8> {
    var trimmed: ArraySlice<UInt8> {
        guard let start = firstIndex(where: { !$0.isBlank }), let end = lastIndex(where: { !$0.isBlank }) else {
            return []
        }
        return self[start...end]
    }

    var trimmedAtEnd: ArraySlice<UInt8> {
        guard let end = lastIndex(where: { !$0.isBlank }) else { return [] }
        return self[...end]
    }

    var unquoted: ArraySlice<UInt8> {
        guard count >= 2, let quote = first, quote == last, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'")
        else {
            return self
        }
        return dropFirst().dropLast()
    }
}

extension UInt8 {
    /// Space, tab, line feed, vertical tab, form feed, carriage return.
    var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}

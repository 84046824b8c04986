internal import Glibc

/// A range of IP addresses (`10.0.0.0/8`, `2001:db8::/32`), or a single one.
public struct AddressRange: Sendable, Equatable {
    /// Four bytes of IPv4 or sixteen of IPv6, in network order.
    private let bytes: [UInt8]
    private let prefixLength: Int

    /// `nil` for a text that is no range, also for one whose address has bits beyond the prefix.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let bytes = Self.bytes(of: String(parts[0])) else { return nil }
        var length = bytes.count * 8
        if parts.count > 1 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let given = Int(parts[1]), given <= length
            else { return nil }
            length = given
        }
        self.bytes = bytes
        prefixLength = length
        guard bytes == Self.masked(bytes, length) else { return nil }
    }

    /// Whether an address in text form is in the range. IPv4 mapped into IPv6 counts as IPv4.
    public func contains(_ address: String) -> Bool {
        guard let other = Self.bytes(of: address), other.count == bytes.count else { return false }
        return Self.masked(other, prefixLength) == bytes
    }

    /// Whether the text is an IP address.
    public static func isAddress(_ text: String) -> Bool { bytes(of: text) != nil }

    private static func masked(_ bytes: [UInt8], _ length: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let kept = min(max(length - index * 8, 0), 8)
            return kept == 0 ? 0 : byte & (0xFF << (8 - UInt8(kept)))
        }
    }

    private static func bytes(of text: String) -> [UInt8]? {
        // inet_pton stops at a NUL, which is no part of an address.
        guard !text.utf8.contains(0) else { return nil }
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: six) { Array($0) }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        return isMapped ? Array(bytes[12...]) : bytes
    }
}

internal import Glibc

/// An IP address, and whether it leads outside.
public struct HostAddress: Sendable, Hashable {
    /// Four bytes of IPv4 or sixteen of IPv6, in network order; IPv4 mapped into IPv6 is IPv4.
    private let bytes: [UInt8]

    /// `nil` for whatever is not an address in full.
    public init?(_ text: String) {
        // inet_pton stops at a NUL.
        guard !text.utf8.contains(0) else { return nil }
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(bytes: withUnsafeBytes(of: four) { Array($0) })
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(bytes: withUnsafeBytes(of: six) { Array($0) })
        } else {
            return nil
        }
    }

    init(bytes: [UInt8]) {
        precondition(bytes.count == 4 || bytes.count == 16)
        let isMapped = bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10...11] == [0xFF, 0xFF]
        self.bytes = isMapped ? Array(bytes[12...]) : bytes
    }

    /// The canonical form.
    public var text: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        // The buffer fits every address, so this cannot fail.
        _ = bytes.withUnsafeBytes {
            inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, $0.baseAddress, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether the address may be this machine or its link, where services trust whoever can reach them: loopback,
    /// link-local (the cloud's metadata is there), unspecified, multicast, broadcast, and IPv6 forms that carry such an
    /// IPv4 address. Private ranges are a site's own network, where images are kept.
    public var isTooClose: Bool {
        if bytes.count == 4 { return Self.isTooClose(bytes[...]) }
        switch (bytes[0], bytes[1]) {
        case (0xFF, _): return true
        case (0xFE, let second) where second & 0xC0 == 0x80: return true
        default: break
        }
        // Loopback, unspecified and the old "compatible" form; NAT64 (RFC 6052); 6to4 (RFC 3056).
        if bytes[..<12].allSatisfy({ $0 == 0 }) { return true }
        if bytes[..<12] == [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0] { return Self.isTooClose(bytes[12...]) }
        if bytes[..<2] == [0x20, 0x02] { return Self.isTooClose(bytes[2..<6]) }
        return false
    }

    private static func isTooClose(_ four: ArraySlice<UInt8>) -> Bool {
        let (first, second) = (four[four.startIndex], four[four.startIndex + 1])
        return first == 0 || first == 127 || first >= 224 || (first == 169 && second == 254)
    }

    /// The addresses of a name, in the system's order of preference. Blocks, for as long as the system's resolver does.
    ///
    /// - Returns: An empty list when the name has none.
    static func resolve(_ name: String) -> [HostAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &found) == 0 else { return [] }
        defer { freeaddrinfo(found) }
        var addresses: [HostAddress] = []
        var next = found
        while let entry = next {
            if let address = HostAddress(entry.pointee), !addresses.contains(address) { addresses.append(address) }
            next = entry.pointee.ai_next
        }
        return addresses
    }

    private init?(_ entry: addrinfo) {
        guard let address = entry.ai_addr else { return nil }
        switch entry.ai_family {
        case AF_INET:
            self.init(
                bytes: address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { pointer in
                    withUnsafeBytes(of: pointer.pointee.sin_addr) { Array($0) }
                }
            )
        case AF_INET6:
            self.init(
                bytes: address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
                    withUnsafeBytes(of: pointer.pointee.sin6_addr) { Array($0) }
                }
            )
        default: return nil
        }
    }
}

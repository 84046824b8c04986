internal import Digests
internal import ImageModel

/// The name of one public request, in answers, in both services' logs, and on tasks (`x-openstack-request-id`).
public enum RequestID {
    /// The id of a request that brought one: it begins with `req-`, and consists of visible ASCII alone, since it stands
    /// in headers, in logs and on tasks. Each other byte becomes `_`.
    public static func adopt(_ given: String) -> String {
        let bytes = given.utf8.map { (0x21...0x7E).contains($0) ? $0 : UInt8(ascii: "_") }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.hasPrefix("req-") ? text : "req-\(text)"
    }

    public static func make() -> String {
        var bytes = randomBytes(16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let parts = [bytes[0..<4], bytes[4..<6], bytes[6..<8], bytes[8..<10], bytes[10..<16]].map(\.hexadecimal)
        return "req-\(parts.joined(separator: "-"))"
    }
}

/// A random UUID (RFC 9562, version 4) in lower case.
public func makeUUID() -> String { String(RequestID.make().dropFirst(4)) }

internal import Digests
internal import ImageModel

/// The name of one state of an answer's document (RFC 9110 §8.8.3).
///
/// Those that this service gives are strong: equal tags mean equal bytes. A digest of the bytes covers everything that an
/// answer depends on, what is kept from this caller and how the service is configured included.
struct EntityTag: Sendable, Equatable {
    /// What stands between the quotes.
    var text: String
    var isWeak = false

    init(text: String, isWeak: Bool = false) {
        self.text = text
        self.isWeak = isWeak
    }

    init(of bytes: [UInt8]) {
        text = Digest(bytes: Array(Digest.of(bytes).bytes.prefix(16))).description
    }

    /// The revision tells a record that was changed and changed back from one that nobody touched.
    init(of bytes: [UInt8], revision: Int64) {
        text = "\(revision)-\(EntityTag(of: bytes).text)"
    }

    /// As it stands in a header.
    var field: String { "\(isWeak ? "W/" : "")\"\(text)\"" }
}

/// The value of `If-Match` or `If-None-Match` (RFC 9110 §13.1).
enum EntityTagList: Sendable, Equatable {
    /// `*`: whatever there is.
    case any
    case tags([EntityTag])

    /// - Parameters:
    ///   - value: several headers of one name are joined by commas.
    ///   - header: the name, for the error.
    /// - Throws: `invalidRequest` for anything but `*` or tags between commas.
    init(parsing value: String, header: String) throws(ServiceError) {
        var bytes = Array(value.utf8)[...]
        Self.skipBlanks(&bytes)
        if bytes.first == UInt8(ascii: "*") {
            bytes.removeFirst()
            Self.skipBlanks(&bytes)
            guard bytes.isEmpty else { throw Self.malformed(header) }
            self = .any
            return
        }
        var tags: [EntityTag] = []
        while !bytes.isEmpty {
            // Empty elements of a list are passed over (RFC 9110 §5.6.1).
            if bytes.first == UInt8(ascii: ",") {
                bytes.removeFirst()
            } else {
                guard let tag = Self.tag(&bytes) else { throw Self.malformed(header) }
                tags.append(tag)
                Self.skipBlanks(&bytes)
                guard bytes.isEmpty || bytes.first == UInt8(ascii: ",") else { throw Self.malformed(header) }
            }
            Self.skipBlanks(&bytes)
        }
        guard !tags.isEmpty else { throw Self.malformed(header) }
        self = .tags(tags)
    }

    private static func tag(_ bytes: inout ArraySlice<UInt8>) -> EntityTag? {
        let isWeak = bytes.starts(with: "W/".utf8)
        if isWeak { bytes.removeFirst(2) }
        guard bytes.popFirst() == UInt8(ascii: "\""), let end = bytes.firstIndex(of: UInt8(ascii: "\"")) else {
            return nil
        }
        let text = bytes[..<end]
        guard text.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
        bytes = bytes[(end + 1)...]
        return EntityTag(text: String(decoding: text, as: UTF8.self), isWeak: isWeak)
    }

    private static func skipBlanks(_ bytes: inout ArraySlice<UInt8>) {
        bytes = bytes.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    private static func malformed(_ header: String) -> ServiceError {
        ServiceError(
            .invalidRequest,
            "Malformed \(header) header: it must be * or a list of entity tags in double quotes."
        )
    }

    /// Neither of the two is weak, and they are equal (RFC 9110 §8.8.3.2).
    func matchesStrongly(_ tag: EntityTag) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): !tag.isWeak && tags.contains(tag)
        }
    }

    func matchesWeakly(_ tag: EntityTag) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains { $0.text == tag.text }
        }
    }
}

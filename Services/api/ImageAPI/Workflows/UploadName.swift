internal import ImageModel
internal import RegistryContract

/// What a URL says behind `/uploads/`: a session, or one part of it, as `<attempt>` and `<attempt>.<part>`.
struct UploadName: Hashable, CustomStringConvertible {
    var attempt: String
    /// Counted from 0; `nil` for the whole.
    var part: Int?

    init(attempt: String, part: Int?) {
        self.attempt = attempt
        self.part = part
    }

    /// - Returns: `nil` for what cannot be one.
    init?(_ text: String) {
        let pieces = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let isPlain = pieces[0].utf8.allSatisfy { byte in
            byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
        }
        guard isPlain, pieces[0].utf8.count == 36 else { return nil }
        attempt = pieces[0]
        guard pieces.count == 2 else { return }
        guard let number = Int(pieces[1]), number >= 0, String(number) == pieces[1] else { return nil }
        part = number
    }

    var description: String { part.map { "\(attempt).\($0)" } ?? attempt }

    /// Where what is named lies in the data.
    ///
    /// - Throws: `notFound` where the session has nothing of that name.
    func range(in session: UploadSessionRecord) throws(ServiceError) -> Range<Int64> {
        if let part {
            guard session.terms.isParallel, session.parts.indices.contains(part) else { throw Self.absence }
            return session.parts[part]
        }
        // The whole of several parts is there once they were put together.
        guard !session.terms.isParallel || session.isFinished else { throw Self.absence }
        return 0..<session.byteCount
    }

    static let absence = ServiceError(.notFound, "There is no such upload: it may have ended.")
}

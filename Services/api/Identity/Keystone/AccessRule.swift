internal import WireJSON

/// One thing that the bearer of a restricted application credential may do.
struct AccessRule: Sendable, Equatable {
    var service: String
    var method: String
    /// A path in which `*` and `{name}` stand for a part of it, and `**` for any number of parts.
    var path: String

    init(service: String, method: String, path: String) {
        self.service = service
        self.method = method
        self.path = path
    }

    init(_ json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        service = try members.string("service")
        method = try members.string("method")
        path = try members.string("path")
    }

    func allows(_ method: String, _ path: String, of service: String) -> Bool {
        self.service == service && self.method.uppercased() == method && Self.matches(path, self.path)
    }

    /// What a piece of a pattern stands for.
    private enum Piece {
        case byte(UInt8)
        /// One byte or more, none of them a slash.
        case part
        /// Any number of any bytes.
        case anything
    }

    /// In a time that grows with the product of both lengths, whatever they hold.
    private static func matches(_ path: String, _ pattern: String) -> Bool {
        let pieces = pieces(of: pattern)
        // Which numbers of pieces may match what was read so far.
        var states = [Bool](repeating: false, count: pieces.count + 1)
        states[0] = true
        func skipAnything(_ states: inout [Bool]) {
            for (index, piece) in pieces.enumerated() {
                if case .anything = piece, states[index] { states[index + 1] = true }
            }
        }
        skipAnything(&states)
        for byte in path.utf8 {
            var next = [Bool](repeating: false, count: states.count)
            for (index, piece) in pieces.enumerated() {
                switch piece {
                case .byte(let expected): if states[index], byte == expected { next[index + 1] = true }
                case .part: if byte != slash, states[index] { next[index + 1] = true }
                case .anything: if states[index] { next[index] = true }
                }
            }
            // What a part has matched may be longer. (No other piece leads to the state behind it.)
            for (index, piece) in pieces.enumerated() {
                if case .part = piece, states[index + 1], byte != slash { next[index + 1] = true }
            }
            skipAnything(&next)
            states = next
        }
        return states[pieces.count]
    }

    private static let slash = UInt8(ascii: "/")

    private static func pieces(of pattern: String) -> [Piece] {
        var pieces: [Piece] = []
        var rest = Array(pattern.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*") where rest.first == UInt8(ascii: "*"):
                rest.removeFirst()
                pieces.append(.anything)
            case UInt8(ascii: "*"): pieces.append(.part)
            case UInt8(ascii: "{"):
                if let end = rest.firstIndex(of: UInt8(ascii: "}")) {
                    rest = rest[(end + 1)...]
                    pieces.append(.part)
                } else {
                    pieces.append(.byte(byte))
                }
            default: pieces.append(.byte(byte))
            }
        }
        return pieces
    }
}

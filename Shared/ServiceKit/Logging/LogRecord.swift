package import Logging
internal import WireJSON

/// One statement of the log with all that a line shows of it.
package struct LogRecord {
    package var time: LogTime
    package var process: Int32
    package var level: Logger.Level
    /// The logger's label.
    package var name: String
    package var message: String
    package var metadata: Logger.Metadata

    package init(
        time: LogTime,
        process: Int32,
        level: Logger.Level,
        name: String,
        message: String,
        metadata: Logger.Metadata
    ) {
        self.time = time
        self.process = process
        self.level = level
        self.name = name
        self.message = message
        self.metadata = metadata
    }

    /// Metadata that has a place of its own in a line.
    private static let requestKey = "request.id"
    private static let userKey = "user"
    private static let projectKey = "project"

    private var otherMetadata: [(key: String, value: Logger.MetadataValue)] {
        metadata
            .filter { $0.key != Self.requestKey && $0.key != Self.userKey && $0.key != Self.projectKey }
            .sorted { $0.key < $1.key }
    }
}

// MARK: oslo's line

extension LogRecord {
    /// The line in the default format of oslo.log: time, process, level, name, `[request user project - - -]` (`[-]` outside
    /// of any request), the message, and the other metadata as `key=value` in the order of their keys. Ends with a line
    /// feed, and holds no other: what a client sent cannot begin a line of its own.
    package var line: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        bytes.append(contentsOf: time.text(separator: " ").utf8)
        bytes.append(contentsOf: " \(process) \(level.osloName) ".utf8)
        bytes.append(escaping: name)
        bytes.append(contentsOf: " [".utf8)
        appendContext(to: &bytes)
        bytes.append(contentsOf: "] ".utf8)
        bytes.append(escaping: message)
        for (key, value) in otherMetadata {
            bytes.append(UInt8(ascii: " "))
            bytes.append(word: key)
            bytes.append(UInt8(ascii: "="))
            bytes.append(quotedWhereNeeded: value.description)
        }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private func appendContext(to bytes: inout [UInt8]) {
        let context = [Self.requestKey, Self.userKey, Self.projectKey].map { metadata[$0]?.description ?? "" }
        guard context.contains(where: { !$0.isEmpty }) else {
            bytes.append(UInt8(ascii: "-"))
            return
        }
        for word in context {
            bytes.append(word: word)
            bytes.append(UInt8(ascii: " "))
        }
        bytes.append(contentsOf: "- - -".utf8)
    }
}

extension [UInt8] {
    /// A field that ends at the next space: spaces and brackets in it become `_`, nothing at all becomes `-`.
    fileprivate mutating func append(word text: String) {
        guard !text.isEmpty else {
            append(UInt8(ascii: "-"))
            return
        }
        let start = count
        append(escaping: text)
        for index in start..<count {
            switch self[index] {
            case UInt8(ascii: " "), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "="):
                self[index] = UInt8(ascii: "_")
            default: break
            }
        }
    }

    /// A value as it is where it is one plain word, otherwise in quotation marks.
    fileprivate mutating func append(quotedWhereNeeded text: String) {
        let quote = UInt8(ascii: "\""), backslash = UInt8(ascii: "\\")
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy {
                (0x21..<0x7F).contains($0) && $0 != quote && $0 != backslash && $0 != UInt8(ascii: "=")
            }
        if isPlain {
            append(contentsOf: text.utf8)
        } else {
            append(quote)
            append(escaping: text, marks: [quote, backslash])
            append(quote)
        }
    }
}

// MARK: JSON

extension LogRecord {
    /// One JSON object and a line feed, with the member names of oslo.log's `JSONFormatter`; `created` is in seconds since
    /// 1970 and `extra` holds the metadata that has no place of its own.
    package var json: [UInt8] {
        var writer = JSONWriter(reserving: 512)
        writer.object { writer in
            writer.field("asctime", time.text(separator: "T"))
            writer.field("created", .double(time.secondsSince1970))
            writer.field("process", process)
            writer.field("levelname", level.osloName)
            writer.field("name", name)
            writer.field("message", message)
            writer.field("context") { writer in
                writer.field("request_id", metadata[Self.requestKey]?.description)
                writer.field("user_id", metadata[Self.userKey]?.description)
                writer.field("project_id", metadata[Self.projectKey]?.description)
            }
            writer.field("extra") { writer in
                for (key, value) in otherMetadata {
                    writer.name(key)
                    writer.metadata(value)
                }
            }
        }
        var bytes: [UInt8] = []
        bytes.append(escapingJSON: writer.bytes)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }
}

extension [UInt8] {
    /// Appends JSON text with what is unsafe in a line as `\u2028`: JSON itself asks that only of the first 32 characters.
    /// What remains stands inside strings, so an escape is right wherever one is found.
    fileprivate mutating func append(escapingJSON json: [UInt8]) {
        if json.allSatisfy({ $0 < 0x7F }) {
            append(contentsOf: json)
            return
        }
        for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
            if scalar.isUnsafeInLine {
                let digits = String(scalar.value, radix: 16)
                append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
            } else {
                append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func field(_ name: String, _ body: (inout JSONWriter) -> Void) { field(name, object: body) }

    fileprivate mutating func metadata(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): string(text)
        case .stringConvertible(let value): string(value.description)
        case .array(let elements): array(elements) { $0.metadata($1) }
        case .dictionary(let members):
            object { writer in
                for (key, value) in members.sorted(by: { $0.key < $1.key }) {
                    writer.name(key)
                    writer.metadata(value)
                }
            }
        }
    }
}

extension Logger.Level {
    /// Python's word for it.
    var osloName: String {
        switch self {
        case .trace, .debug: "DEBUG"
        case .info, .notice: "INFO"
        case .warning: "WARNING"
        case .error: "ERROR"
        case .critical: "CRITICAL"
        }
    }

    /// The level that one of Python's words stands for, in any case.
    init?(osloName: String) {
        switch osloName.uppercased() {
        case "TRACE": self = .trace
        case "DEBUG": self = .debug
        case "INFO": self = .info
        case "NOTICE": self = .notice
        case "WARN", "WARNING": self = .warning
        case "ERROR": self = .error
        case "CRITICAL", "FATAL": self = .critical
        default: return nil
        }
    }
}

import Glibc
import Logging
import ServiceKit
import Synchronization
import Testing

@Suite("Logging")
struct LoggingTests {
    private func record(_ message: String, _ metadata: Logger.Metadata = [:]) -> LogRecord {
        LogRecord(
            time: LogTime(seconds: 1_795_242_600, milliseconds: 7),
            process: 42,
            level: .warning,
            name: "glance.api",
            message: message,
            metadata: metadata
        )
    }

    /// The line from the process id on: the time before it is local.
    private func line(_ message: String, _ metadata: Logger.Metadata = [:]) -> String {
        String(
            String(decoding: record(message, metadata).line, as: UTF8.self).dropFirst("2026-11-21 06:30:00.007 ".count)
        )
    }

    // MARK: The line

    @Test("a line has oslo's default format")
    func format() {
        let metadata: Logger.Metadata = [
            "request.id": "req-1", "user": "u1", "project": "p1", "image.id": "i", "count": "3", "note": "two words",
        ]
        #expect(
            line("stored", metadata)
                == "42 WARNING glance.api [req-1 u1 p1 - - -] stored count=3 image.id=i note=\"two words\"\n"
        )
        #expect(line("stored", ["request.id": "req-1"]) == "42 WARNING glance.api [req-1 - - - - -] stored\n")
        #expect(line("started") == "42 WARNING glance.api [-] started\n")
    }

    @Test("the time is local, with milliseconds")
    func time() throws {
        let text = LogTime(seconds: 1_795_242_600, milliseconds: 7).text(separator: " ")
        var instant = time_t(1_795_242_600)
        var local = tm()
        localtime_r(&instant, &local)
        let two = { (number: Int32) in number < 10 ? "0\(number)" : "\(number)" }
        #expect(
            text
                == "2026-\(two(local.tm_mon + 1))-\(two(local.tm_mday)) \(two(local.tm_hour)):\(two(local.tm_min)):00.007"
        )
    }

    private static let forgeries = [
        "x\n2026-11-21 06:30:00.123 1 INFO glance.api [-] forged", "x\r\nforged", "\u{1B}[2Jx", "\u{0}", "\u{7F}",
        "\u{85}x",
        "a\u{2028}b", "a\u{2029}b", "\u{202E}x", "\" forged=\"yes", "x] [req-forged", "a\u{B}\u{C}b",
    ]

    @Test("nothing a client sends can begin a line, reach a terminal or pass for another field", arguments: forgeries)
    func forgery(_ text: String) {
        let metadata: Logger.Metadata = [
            "request.id": "\(text)", "user": "\(text)", "project": "\(text)", "path": "\(text)", "list": ["\(text)"],
            "\(text)": "key", "nested": ["\(text)": "\(text)"],
        ]
        let record = record(text, metadata)
        for bytes in [record.line, record.json] {
            #expect(bytes.last == UInt8(ascii: "\n"))
            let scalars = String(decoding: bytes.dropLast(), as: UTF8.self).unicodeScalars
            #expect(scalars.allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) })
            #expect(!scalars.contains { (0x2028...0x202E).contains($0.value) })
        }
    }

    @Test("the context keeps its six fields, and a value its quotation marks")
    func fieldsStayApart() {
        #expect(
            line("x", ["request.id": "a b] [c", "user": "", "path": "\" forged=\"yes", "back": #"a\b"#])
                == ##"42 WARNING glance.api [a_b___c - - - - -] x back="a\\b" path="\" forged=\"yes""## + "\n"
        )
    }

    @Test("a JSON line holds the same as one object")
    func json() throws {
        let record = record(
            "stored \"it\"\n",
            ["request.id": "req-1", "list": ["a", ["k": "v"]], "size": "\(5)", "sep": "\u{2028}"]
        )
        let text = String(decoding: record.json, as: UTF8.self)
        let local = record.time.text(separator: "T")
        #expect(
            text
                == #"{"asctime":"\#(local)","created":1795242600.007,"process":42,"levelname":"WARNING","name":"glance.api","#
                + #""message":"stored \"it\"\n","context":{"request_id":"req-1","user_id":null,"project_id":null},"#
                + #""extra":{"list":["a",{"k":"v"}],"sep":"\u2028","size":"5"}}"# + "\n"
        )
    }

    // MARK: The handler

    private func logging(_ text: String, _ environment: [String: String] = [:]) throws -> ServiceLogging {
        try ServiceLogging(
            program: "glance-api",
            configuration: ServiceConfiguration(
                text: "[DEFAULT]\n\(text)\n",
                path: "api.conf",
                environment: environment
            )
        )
    }

    @Test("metadata of the statement wins over the provider's, and that over the logger's")
    func metadata() throws {
        struct Failure: Error {}
        let directory = TemporaryDirectory()
        let logging = try logging("log_file = \(directory.path)/log")
        let provider = Logger.MetadataProvider { ["b": "provider", "c": "provider"] }
        var logger = Logger(label: "glance.test") { logging.handler(label: $0, metadataProvider: provider) }
        logger[metadataKey: "a"] = "logger"
        logger[metadataKey: "b"] = "logger"
        logger.notice("hello", error: Failure(), metadata: ["c": "statement"])
        logger.debug("not logged")
        let written = directory.read("log")
        #expect(
            written.hasSuffix(
                " \(getpid()) INFO glance.test [-] hello a=logger b=provider c=statement error=Failure()\n"
            )
        )
        #expect(written.split(separator: "\n").count == 1)
    }

    @Test(
        "a logger's level is that of the longest name that covers it",
        arguments: [
            ("glance", Logger.Level.warning), ("glance.api", .error), ("glance.api.routes", .error),
            ("glance.apis", .warning),
            ("other", .debug), ("glanceling", .debug),
        ]
    )
    func levels(_ label: String, _ level: Logger.Level) throws {
        let logging = try logging(
            "debug = true\nuse_stderr = true\ndefault_log_levels = glance=WARN, glance.api=error, amqp=INFO"
        )
        #expect(logging.level(of: label) == level)
        #expect(logging.handler(label: label).logLevel == level)
    }

    @Test(
        "the log file is found as oslo finds it",
        arguments: [
            ("", nil), ("log_file = DIR/a.log", "DIR/a.log"), ("log_dir = DIR", "DIR/glance-api.log"),
            ("log_dir = DIR\nlog_file = b.log", "DIR/b.log"),
            ("log_dir = /nonexistent\nlog_file = DIR/c.log", "DIR/c.log"),
            ("logdir = DIR", "DIR/glance-api.log"),
        ] as [(String, String?)]
    )
    func path(_ options: String, _ path: String?) throws {
        let directory = TemporaryDirectory()
        let logging = try logging(options.replacing("DIR", with: directory.path))
        #expect(logging.path == path?.replacing("DIR", with: directory.path))
    }

    @Test("a log file that cannot be opened and a wrong level stop the start with a sentence")
    func errors() {
        let file = #expect(throws: ConfigurationError.self) { try logging("log_file = /nonexistent/log") }
        #expect(
            file?.message
                == "api.conf:2: [DEFAULT] log_file: /nonexistent/log: the log file cannot be opened: No such file or directory"
        )
        let level = #expect(throws: ConfigurationError.self) { try logging("default_log_levels = a=LOUD") }
        #expect(level?.message.hasPrefix("api.conf:2: [DEFAULT] default_log_levels: 'a=LOUD' is not accepted") == true)
    }

    // MARK: The sink

    private final class TestClock: Sendable {
        let seconds = Mutex(0)
        func now() -> Int { seconds.withLock { $0 } }
        func advance() { seconds.withLock { $0 += 1 } }
    }

    @Test("a file that was moved away is opened anew, a second later at most")
    func rotation() throws {
        let directory = TemporaryDirectory()
        let clock = TestClock()
        let sink = try LogSink(path: "\(directory.path)/log") { clock.now() }
        sink.write(Array("one\n".utf8))
        rename("\(directory.path)/log", "\(directory.path)/log.1")
        sink.write(Array("two\n".utf8))
        clock.advance()
        sink.write(Array("three\n".utf8))
        clock.advance()
        sink.write(Array("four\n".utf8))
        #expect(directory.read("log.1") == "one\ntwo\n")
        #expect(directory.read("log") == "three\nfour\n")
    }

    @Test("lines of many tasks stay whole, and what was in the file stays")
    func concurrency() async throws {
        let directory = TemporaryDirectory()
        let path = directory.write("log", "before\n")
        let sink = try LogSink(path: path)
        await withTaskGroup(of: Void.self) { group in
            for letter in "abcdefgh".utf8 {
                group.addTask {
                    for _ in 0..<200 { sink.write([UInt8](repeating: letter, count: 300) + [UInt8(ascii: "\n")]) }
                }
            }
        }
        let lines = directory.read("log").split(separator: "\n")
        #expect(lines.count == 1601)
        #expect(lines.first == "before")
        #expect(lines.dropFirst().allSatisfy { $0.utf8.count == 300 && Set($0.utf8).count == 1 })
    }
}

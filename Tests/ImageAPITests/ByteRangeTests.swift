import ImageModel
import Testing

@testable import ImageAPI

@Suite("Byte ranges")
struct ByteRangeTests {
    /// What a request for a part of nine bytes gets.
    enum Outcome: Equatable {
        case part(Range<Int64>)
        case refused(ServiceError.Code, String)

        static func invalidRange(_ sentence: String = "Invalid Range header.") -> Outcome {
            .refused(.rangeNotSatisfiable, sentence)
        }

        static func invalidContentRange(_ sentence: String = "Invalid Content-Range header.") -> Outcome {
            .refused(.rangeNotSatisfiable, sentence)
        }
    }

    private func outcome(range: String? = nil, contentRange: String? = nil, size: Int64 = 9) -> Outcome? {
        do {
            return try ByteRange.requested(range: range, contentRange: contentRange, size: size).map { .part($0) }
        } catch {
            return .refused(error.code, error.message)
        }
    }

    private static let several =
        "Requests with multiple ranges are not supported in Glance. Please make multiple single-range requests instead."
    private static let start =
        "Invalid start position in Range header. Start position MUST be in the inclusive range [0, 8]."

    /// Image API v2, "Download"; RFC 9110 §14.1.
    static let ranges: [(String, Outcome)] = [
        ("bytes=0-4", .part(0..<5)), ("bytes=4-", .part(4..<9)), ("bytes=-3", .part(6..<9)),
        ("bytes=-100", .part(0..<9)), ("bytes=0-100", .part(0..<9)), ("bytes=8-8", .part(8..<9)),
        ("bytes=0-", .part(0..<9)), ("bytes=-9", .part(0..<9)), ("bytes=008-0008", .part(8..<9)),
        ("bytes=0-99999999999999999999", .part(0..<9)), ("bytes=-99999999999999999999", .part(0..<9)),
        ("bytes=9-", .invalidRange(start)), ("bytes=9-12", .invalidRange(start)),
        ("bytes=99999999999999999999-", .invalidRange(start)),
        ("bytes=5-2", .invalidRange()), ("bytes=10-5", .invalidRange()), ("foo", .invalidRange()),
        ("items=0-1", .invalidRange()), ("bytes=-", .invalidRange()), ("bytes=", .invalidRange()),
        ("bytes", .invalidRange()), ("", .invalidRange()), ("bytes=-0", .invalidRange()),
        ("bytes=+1-2", .invalidRange()), ("bytes=1-2-3", .invalidRange()), ("bytes=--1", .invalidRange()),
        ("bytes=0x1-2", .invalidRange()), ("bytes=1.0-2", .invalidRange()), ("bytes=٣-4", .invalidRange()),
        ("bytes=0-1,3-4", .refused(.invalidRequest, several)), ("bytes=0-1,", .refused(.invalidRequest, several)),
        (",", .refused(.invalidRequest, several)),
    ]

    @Test("a Range header selects a part of nine bytes, or is refused")
    func range() {
        for (header, expected) in Self.ranges { #expect(outcome(range: header) == expected, "\(header)") }
    }

    static let contentRanges: [(String, Outcome)] = [
        ("bytes 0-4/9", .part(0..<5)), ("bytes 0-4/*", .part(0..<5)), ("bytes 8-8/9", .part(8..<9)),
        ("bytes 0-4/30", .part(0..<5)),
        (
            "bytes 3-20/*",
            .invalidContentRange(
                "Invalid stop position in Content-Range header. Stop position MUST be in the inclusive range [0, 8]."
            )
        ),
        (
            "bytes 3-20/30",
            .invalidContentRange(
                "Invalid stop position in Content-Range header. Stop position MUST be in the inclusive range [0, 8]."
            )
        ),
        (
            "bytes 9-12/20",
            .invalidContentRange(
                "Invalid start position in Content-Range header. Start position MUST be in the inclusive range [0, 8]."
            )
        ),
        ("bytes 3-20/9", .invalidContentRange()), ("bytes 2-1/9", .invalidContentRange()),
        ("bytes 3-16/15", .invalidContentRange()), ("foo", .invalidContentRange()),
        ("bytes */9", .invalidContentRange()), ("bytes 0-/9", .invalidContentRange()),
        ("bytes -4/9", .invalidContentRange()), ("bytes 0-4", .invalidContentRange()),
        ("bytes 0-4/", .invalidContentRange()), ("bytes 0-4/9/9", .invalidContentRange()),
        ("bytes=0-4/9", .invalidContentRange()), ("items 0-4/9", .invalidContentRange()), ("", .invalidContentRange()),
    ]

    @Test("an old client's Content-Range header does too")
    func contentRange() {
        for (header, expected) in Self.contentRanges {
            #expect(outcome(contentRange: header) == expected, "\(header)")
        }
    }

    @Test("Range is looked at first, and without either all is asked for")
    func precedence() {
        #expect(outcome(range: "bytes=1-2", contentRange: "foo") == .part(1..<3))
        #expect(outcome(range: "foo", contentRange: "bytes 0-4/9") == .invalidRange())
        #expect(outcome() == nil)
    }

    @Test("no part of nothing can be had")
    func empty() {
        for header in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            guard case .refused(.rangeNotSatisfiable, _) = outcome(range: header, size: 0) else {
                Issue.record("\(header) of nothing was given")
                continue
            }
        }
    }

    @Test("the last byte of the largest size can be had")
    func largest() {
        #expect(outcome(range: "bytes=-1", size: .max) == .part(.max - 1 ..< .max))
        #expect(outcome(range: "bytes=0-9223372036854775807", size: .max) == .part(0 ..< .max))
    }
}

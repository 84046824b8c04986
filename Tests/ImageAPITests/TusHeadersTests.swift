import Digests
import HTTPTypes
import ImageModel
import RegistryContract
import StoreLayer
import Testing

@testable import ImageAPI

/// What requests of the tus protocol say; what is refused of it, the system tests show over the wire.
@Suite("tus header fields")
struct TusHeadersTests {
    private func headers(_ values: [String: String]) throws -> TusHeaders {
        var fields: HTTPFields = [.tusResumable: "1.0.0"]
        for (name, value) in values { fields[try #require(HTTPField.Name(name))] = value }
        return try TusHeaders(fields)
    }

    @Test(
        "numbers are digits",
        arguments: [
            ("", nil), ("0", 0), ("007", 7), ("9223372036854775807", .max), ("9223372036854775808", nil), ("-1", nil),
            ("1 0", nil),
        ] as [(String, Int64?)]
    )
    func numbers(_ text: String, _ number: Int64?) throws {
        let tus = try headers(["Upload-Offset": text])
        if let number {
            #expect(try tus.offset() == number)
        } else {
            #expect(throws: ServiceError.self) { try tus.offset() }
        }
    }

    @Test("metadata is given back as it came, and may tell digests")
    func metadata() throws {
        let empty = try headers(["Upload-Metadata": ""])
        #expect(try empty.metadata() == nil && empty.digests().isEmpty)
        let text = "filename eA==,empty,X-OpenStack-Image-Checksum OTAwMTUwOTgzY2QyNGZiMGQ2OTYzZjdkMjhlMTdmNzI="
        let tus = try headers(["Upload-Metadata": text])
        #expect(try tus.metadata() == text)
        #expect(try tus.digests().values == [.md5: Digest.of(Array("abc".utf8), .md5)])
        let both = try headers(["Upload-Metadata": text, "x-openstack-image-checksum": "other"])
        #expect(throws: ServiceError.self) { try both.digests() }
    }

    @Test("an upload is a whole, a part, or the end of parts")
    func concatenation() throws {
        #expect(try headers([:]).concatenation() == .none)
        #expect(try headers(["Upload-Concat": "partial"]).concatenation() == .partial)
        #expect(try headers(["Upload-Concat": "final;/a /b"]).concatenation() == .final(["/a", "/b"]))
    }

    private static let attempt = "0f8c1e52-7a1f-4c0a-9f53-1b1f5f1a2b3c"

    @Test("an upload's name is its session's, or that of one part")
    func names() throws {
        #expect(UploadName(Self.attempt) == UploadName(attempt: Self.attempt, part: nil))
        #expect(UploadName("\(Self.attempt).12") == UploadName(attempt: Self.attempt, part: 12))
        #expect(UploadName(attempt: Self.attempt, part: 12).description == "\(Self.attempt).12")
        let malformed = [
            "", ".", "x", Self.attempt.uppercased(), "\(Self.attempt).", "\(Self.attempt).01", "\(Self.attempt).-1",
            "\(Self.attempt).1.2", "\(Self.attempt).99999999999999999999", "\(Self.attempt)0", ".\(Self.attempt)",
        ]
        for text in malformed { #expect(UploadName(text) == nil, "\(text)") }
    }

    @Test(
        "dates are written as HTTP has them",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
        ] as [(Int64, String)]
    )
    func dates(_ seconds: Int64, _ text: String) {
        #expect(Timestamp(seconds: seconds).httpDate == text)
    }
}

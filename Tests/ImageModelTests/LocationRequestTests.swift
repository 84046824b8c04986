import ImageModel
import Testing
import WireJSON

/// Image API v2, "Locations API".
@Suite("Adding a location")
struct LocationRequestTests {
    private static let sha256 = String(repeating: "ab", count: 32)

    @Test("the body is a URL, and what its data must be")
    func bodies() throws {
        let plain = try LocationRequest(parsing: ["url": "http://a", "more": 1])
        #expect(plain.url == "http://a" && plain.expected == nil)
        #expect(try LocationRequest(parsing: ["url": "http://a", "validation_data": [:]]).expected == nil)
        let full = try LocationRequest(
            parsing: [
                "url": "http://a",
                "validation_data": ["os_hash_algo": "sha256", "os_hash_value": .string(Self.sha256)],
            ]
        )
        #expect(full.expected == LocationRequest.ExpectedDigest(algorithm: "sha256", value: Self.sha256))
        try full.requireDigest()
    }

    @Test("what is no such body is refused")
    func refusals() throws {
        let bodies: [JSONValue] = [
            [], [:], ["url": 1], ["url": .null], ["url": "http://a", "validation_data": .null],
            ["url": "http://a", "validation_data": ["os_hash_algo": "sha256"]],
            ["url": "http://a", "validation_data": ["os_hash_value": "ab"]],
            ["url": "http://a", "validation_data": ["os_hash_algo": "crc32", "os_hash_value": "ab"]],
            ["url": "http://a", "validation_data": ["checksum": "ab"]],
            ["url": .string("http://" + String(repeating: "a", count: 2_042))],
        ]
        for body in bodies {
            expectRefusal(.invalidRequest, "Provided object does not match schema 'location'") {
                _ = try LocationRequest(parsing: body)
            }
        }
    }

    @Test("a digest has its algorithm's length, in hexadecimal digits")
    func digests() throws {
        for (algorithm, byteCount) in LocationRequest.algorithms {
            func request(_ value: String) throws -> LocationRequest {
                try LocationRequest(
                    parsing: [
                        "url": "http://a",
                        "validation_data": ["os_hash_algo": .string(algorithm), "os_hash_value": .string(value)],
                    ]
                )
            }
            try request(String(repeating: "Af", count: byteCount)).requireDigest()
            for value in ["", "abc", String(repeating: "xy", count: byteCount)] {
                expectRefusal(.invalidRequest, "is not a valid hexadecimal value") {
                    try request(value).requireDigest()
                }
            }
            expectRefusal(
                .invalidRequest,
                "is not the correct size for (\(algorithm)) (should be (\(byteCount)) bytes)"
            ) { try request(String(repeating: "00", count: byteCount - 1)).requireDigest() }
        }
    }
}

import Digests
import Testing

@Suite("Authentication codes")
struct AuthenticationTests {
    struct Vector: Sendable {
        var key: [UInt8]
        var message: [UInt8]
        var code: String

        init(_ key: [UInt8], _ message: String, _ code: String) {
            self.init(key, Array(message.utf8), code)
        }

        init(_ key: [UInt8], _ message: [UInt8], _ code: String) {
            self.key = key
            self.message = message
            self.code = code
        }
    }

    /// RFC 4231 §4, without the fifth case, whose code is cut short.
    static let vectors: [Vector] = [
        Vector(
            [UInt8](repeating: 0x0B, count: 20),
            "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        Vector(
            Array("Jefe".utf8),
            "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        Vector(
            [UInt8](repeating: 0xAA, count: 20),
            [UInt8](repeating: 0xDD, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        Vector(
            Array(1...25),
            [UInt8](repeating: 0xCD, count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        Vector(
            [UInt8](repeating: 0xAA, count: 131),
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        Vector(
            [UInt8](repeating: 0xAA, count: 131),
            "This is a test using a larger than block-size key and a larger than block-size data. "
                + "The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]

    @Test("HMAC-SHA256 gives the answers of RFC 4231", arguments: vectors)
    func hmac(_ vector: Vector) {
        #expect(hmacSHA256(key: vector.key, vector.message).description == vector.code)
    }

    @Test("an empty key and an empty message have a code")
    func emptyHMAC() {
        #expect(
            hmacSHA256(key: [], []).description == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
        )
    }

    @Test("hexadecimal text and bytes are the same thing, whatever the byte")
    func hexadecimalRoundTrip() {
        let all = Array(UInt8.min...UInt8.max)
        #expect([UInt8](hexadecimal: all.hexadecimal) == all)
        #expect([UInt8](hexadecimal: all.hexadecimal.uppercased()) == all)
        #expect(all.hexadecimal == all.hexadecimal.lowercased())
        #expect([UInt8](hexadecimal: "")?.isEmpty == true)
        #expect([0x00, 0x0F, 0xA0, 0xFF].hexadecimal == "000fa0ff")
    }

    @Test(
        "what is not hexadecimal is refused",
        arguments: ["0", "abc", "0g", "g0", " 00", "0x00", "00 ", "-1", "é", "٣٣", "０a", "a\u{301}"]
    )
    func notHexadecimal(_ text: String) {
        #expect([UInt8](hexadecimal: text) == nil)
    }

    @Test("secrets are equal when all of their bytes are")
    func equality() {
        #expect(equalInConstantTime([], []))
        #expect(equalInConstantTime([1, 2, 3], [1, 2, 3]))
        #expect(!equalInConstantTime([1, 2, 3], [1, 2, 4]))
        #expect(!equalInConstantTime([0, 2, 3], [1, 2, 3]))
        #expect(!equalInConstantTime([1, 2], [1, 2, 3]))
        #expect(!equalInConstantTime([], [0]))
    }

    @Test("random bytes are as many as asked for, and others each time")
    func random() {
        #expect(randomBytes(0).isEmpty)
        #expect(randomBytes(32).count == 32)
        #expect(randomBytes(32) != randomBytes(32))
    }
}

import RegistryContract
import Testing

@Suite("Request signatures")
struct RequestSignatureTests {
    /// A request as it arrives.
    struct Arrival: Sendable {
        var method = "POST"
        var path = "/v1/images.show"
        var version = 1
        var body = Array(#"{"id":1}"#.utf8)
        var signature: RequestSignature

        func isValid(with keys: RegistryKeys, now: Int64) -> Bool {
            signature.isFresh(at: now)
                && signature.isGenuine(with: keys, method: method, path: path, version: version, body: body)
        }
    }

    static let now: Int64 = 1_700_000_000
    let old = RegistryKeys.Key(id: "old", secret: [UInt8](repeating: 1, count: 32))
    let new = RegistryKeys.Key(id: "new", secret: [UInt8](repeating: 2, count: 32))

    private func arrival(
        signedWith key: RegistryKeys.Key,
        timestamp: Int64 = now,
        nonce: String = "0123456789abcdef0123456789abcdef"
    ) -> Arrival {
        Arrival(
            signature: .make(
                with: key,
                method: "POST",
                path: "/v1/images.show",
                version: 1,
                body: Array(#"{"id":1}"#.utf8),
                timestamp: timestamp,
                nonce: nonce
            )
        )
    }

    @Test("the signature is this one, so that no change of it goes unnoticed")
    func golden() {
        #expect(
            arrival(signedWith: old).signature.value
                == "7523b2d9f6bd2549e8ad8f226e267d7ae4e698db7625b76a7a822a07384dc9d7"
        )
    }

    @Test("a request as it was signed is valid under either key")
    func valid() {
        for key in [old, new] {
            #expect(arrival(signedWith: key).isValid(with: RegistryKeys([old, new]), now: Self.now))
        }
    }

    @Test("whatever is changed on the way makes it invalid")
    func tampered() {
        let changes: [(String, @Sendable (inout Arrival) -> Void)] = [
            ("method", { $0.method = "PUT" }),
            ("path", { $0.path = "/v1/images.list" }),
            ("version", { $0.version = 2 }),
            ("body", { $0.body[0] ^= 1 }),
            ("body's end", { $0.body.append(UInt8(ascii: " ")) }),
            ("no body", { $0.body = [] }),
            ("timestamp", { $0.signature.timestamp += 1 }),
            ("nonce", { $0.signature.nonce = "1123456789abcdef0123456789abcdef" }),
            ("key id", { $0.signature.keyID = "new" }),
            ("unknown key id", { $0.signature.keyID = "none" }),
            ("no key id", { $0.signature.keyID = "" }),
            ("value", { $0.signature.value = String($0.signature.value.reversed()) }),
            ("half a value", { $0.signature.value = String($0.signature.value.prefix(32)) }),
            ("longer value", { $0.signature.value += "00" }),
            ("no value", { $0.signature.value = "" }),
            ("value that is no hexadecimal", { $0.signature.value = String(repeating: "x", count: 64) }),
        ]
        for (part, change) in changes {
            var changed = arrival(signedWith: old)
            change(&changed)
            #expect(!changed.isValid(with: RegistryKeys([old, new]), now: Self.now), "\(part)")
        }
    }

    @Test("a key that was taken away is worth nothing, nor is its id with another secret")
    func otherKeys() {
        let signed = arrival(signedWith: old)
        #expect(!signed.isValid(with: RegistryKeys([new]), now: Self.now))
        #expect(!signed.isValid(with: RegistryKeys([.init(id: "old", secret: new.secret)]), now: Self.now))
    }

    @Test("clocks may differ by a minute and no more")
    func skew() {
        for (offset, isFresh) in [(-61, false), (-60, true), (0, true), (60, true), (61, false)] as [(Int64, Bool)] {
            let signed = arrival(signedWith: old, timestamp: Self.now + offset)
            #expect(signed.isValid(with: RegistryKeys([old]), now: Self.now) == isFresh, "\(offset) s")
        }
    }

    @Test("a timestamp at the ends of the numbers is stale, and harms nobody")
    func extremeTimestamps() {
        // The last two leave a difference that has no absolute value, and one that wraps around.
        for timestamp in [Int64.min, .max, 0, -1, Self.now &- .min, Self.now &- .max] {
            let signed = arrival(signedWith: old, timestamp: timestamp)
            #expect(!signed.isValid(with: RegistryKeys([old]), now: Self.now), "\(timestamp)")
        }
    }

    @Test("a nonce has 16 to 64 bytes")
    func nonces() {
        for (length, isAccepted) in [(0, false), (15, false), (16, true), (64, true), (65, false)] {
            let signed = arrival(signedWith: old, nonce: String(repeating: "n", count: length))
            #expect(signed.isValid(with: RegistryKeys([old]), now: Self.now) == isAccepted, "\(length) bytes")
        }
    }
}

import ImageModel
import Testing

@testable import Identity

@Suite("bcrypt")
struct BcryptTests {
    /// The test vectors of crypt_blowfish.
    static let vectors: [(password: String, hash: String)] = [
        ("U*U", hashOfUStarU),
        ("U*U*", hashOfUStarUStar),
        ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
        ("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"),
        ("U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ("U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ]

    @Test("known passwords match their hashes and no other", arguments: vectors)
    func known(vector: (password: String, hash: String)) throws {
        let hash = try #require(BcryptHash(vector.hash))
        #expect(hash.cost == 5)
        #expect(BcryptHash.check(Array(vector.password.utf8), hash))
        #expect(!BcryptHash.check(Array((vector.password + "x").utf8), hash))
    }

    @Test("bytes that are no text are a password as well")
    func bytes() throws {
        let hash = try #require(BcryptHash("$2a$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"))
        #expect(BcryptHash.check([0xa3], hash))
    }

    @Test("what is not bcrypt, or too costly, is no hash")
    func others() {
        let tail = String(hashOfUStarU.dropFirst(7))
        let others = [
            "", "secret", "$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
            "$2x$05$" + tail, "$2y$03$" + tail, "$2y$17$" + tail, "$2y$31$" + tail, "$2y$+5$" + tail,
            "$2y$05$" + tail.dropLast(), "$2y$05$" + tail + "x", "$2y$05$" + tail.dropLast() + "-",
        ]
        for text in others { #expect(BcryptHash(text) == nil, "\(text)") }
    }

    @Test("a hash that was made matches its password, and two of one password differ")
    func making() throws {
        let one = try bcryptHash(password: "pass wörd", cost: 4), two = try bcryptHash(password: "pass wörd", cost: 4)
        #expect(one != two)
        #expect(one.hasPrefix("$2y$04$"))
        #expect(BcryptHash.check(Array("pass wörd".utf8), try #require(BcryptHash(one))))
    }

    @Test(
        "a password that bcrypt would cut short is refused",
        arguments: ["", String(repeating: "x", count: 73), "a\0b"]
    )
    func unsuitable(password: String) {
        let error = #expect(throws: ServiceError.self) { try bcryptHash(password: password, cost: 4) }
        #expect(error?.code == .invalidRequest)
    }

    @Test("no password matches the dummy, and checking it is real work")
    func dummy() throws {
        let dummy = BcryptHash.dummy(cost: 4)
        #expect(!BcryptHash.check(Array("x".utf8), dummy))
        // Were the setting refused, the check would end at once.
        // The fastest of some, since other tests run beside this one.
        func fastest(_ hash: BcryptHash) -> Duration? {
            (0..<8).map { _ in ContinuousClock().measure { _ = BcryptHash.check([120], hash) } }.min()
        }
        let cheap = try #require(fastest(dummy)), costly = try #require(fastest(.dummy(cost: 9)))
        #expect(costly > cheap * 4)
    }

    @Test("a generated password has 24 plain characters and is never the same")
    func generated() {
        let passwords = Set((0..<100).map { _ in generatePassword() })
        #expect(passwords.count == 100)
        for password in passwords {
            #expect(password.count == 24)
            #expect(password.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber) && !"lo01".contains($0) })
        }
    }
}

import ServiceKit
import Testing

@Suite("Ranges of addresses")
struct AddressRangeTests {
    @Test(
        "a range holds the addresses of its prefix, and no others",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false), ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "::1", false), ("192.0.2.128/25", "192.0.2.127", false),
            ("192.0.2.128/25", "192.0.2.129", true),
            ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("::/0", "2001:db8::1", true),
            ("::/0", "192.0.2.1", false), ("2001:db8::/33", "2001:db8:8000::", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("10.0.0.0/8", "nobody", false), ("10.0.0.0/8", "", false),
        ]
    )
    func contains(_ range: String, _ address: String, _ isInside: Bool) throws {
        #expect(try #require(AddressRange(range)).contains(address) == isInside)
    }

    @Test(
        "what is no range is none",
        arguments: [
            "", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.1/8", "example",
        ]
    )
    func none(_ text: String) {
        #expect(AddressRange(text) == nil)
    }
}

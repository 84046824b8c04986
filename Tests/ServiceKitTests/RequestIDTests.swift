import ServiceKit
import Testing

@Suite("Request ids that clients send")
struct RequestIDTests {
    @Test(
        "an id is adopted as visible ASCII behind req-",
        arguments: [
            ("req-abc", "req-abc"), ("abc", "req-abc"), ("req-a b", "req-a_b"), ("a\tb\u{1b}[2J", "req-a_b_[2J"),
            ("é", "req-__"), ("\u{0}\u{7F}", "req-__"), ("a\r\nX-Evil: 1", "req-a__X-Evil:_1"),
        ]
    )
    func adopted(_ given: String, _ id: String) {
        #expect(RequestID.adopt(given) == id)
    }
}

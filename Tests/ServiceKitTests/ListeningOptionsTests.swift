import Logging
import Testing

@testable import ServiceKit

@Suite("Options of listening")
struct ListeningOptionsTests {
    private let options = ListeningOptions(defaultHost: "127.0.0.1", defaultPort: 9191)

    private func tls(_ lines: String) throws -> TLSContext? {
        let configuration = try ServiceConfiguration(text: "[DEFAULT]\n\(lines)\n")
        return try options.tls(in: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("without certificates it is plain HTTP", arguments: ["", "cert_file =\nkey_file =\nca_file ="])
    func plain(_ lines: String) throws {
        #expect(try tls(lines) == nil)
    }

    @Test(
        "half of a pair, and authorities without a certificate, are refused",
        arguments: [
            "cert_file = /a.pem", "key_file = /a.key", "ca_file = /ca.pem", "key_file = /a.key\nca_file = /ca.pem",
        ]
    )
    func halves(_ lines: String) {
        let error = #expect(throws: ConfigurationError.self) { try tls(lines) }
        #expect(error?.message.contains("belong together") == true)
    }
}

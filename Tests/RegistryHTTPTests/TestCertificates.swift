import Foundation
import ServiceKit

/// Authorities and certificates for 127.0.0.1, made by openssl in a folder that goes away.
struct TestCertificates {
    let folder: String

    static func with(_ body: (TestCertificates) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer {
            // What cannot be removed is litter in the temporary folder, not a failure.
            try? FileManager.default.removeItem(at: folder)
        }
        try await body(TestCertificates(folder: folder.path))
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// An authority: its certificate is `NAME.pem`.
    func makeAuthority(_ name: String) throws {
        try openssl("-subj", "/CN=\(name)", "-keyout", path("\(name).key"), "-out", path("\(name).pem"))
    }

    /// A certificate `NAME.pem` and its key `NAME.key`.
    func make(_ name: String, by authority: String, for names: String = "DNS:localhost,IP:127.0.0.1") throws {
        try openssl(
            "-CA",
            path("\(authority).pem"),
            "-CAkey",
            path("\(authority).key"),
            "-subj",
            "/CN=\(name)",
            "-addext",
            "subjectAltName=\(names)",
            "-keyout",
            path("\(name).key"),
            "-out",
            path("\(name).pem")
        )
    }

    func files(_ name: String?, trusting authority: String?) -> TLSFiles {
        TLSFiles(
            certificate: name.map { path("\($0).pem") },
            key: name.map { path("\($0).key") },
            authority: authority.map { path("\($0).pem") }
        )
    }

    private func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
            + arguments
        let output = Pipe()
        process.standardError = output
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(said: String(decoding: said, as: UTF8.self)) }
    }

    struct Failure: Error { var said: String }
}

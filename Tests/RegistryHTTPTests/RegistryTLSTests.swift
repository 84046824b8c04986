import Foundation
import ImageModel
import Logging
import RegistryContract
import RegistryHTTP
import ServiceKit
import Testing

@Suite("TLS between the services")
struct RegistryTLSTests {
    private static let read = ListImages(query: ImageListQuery(limit: 1))
    /// Where nobody is going to answer.
    private static let short = RegistryPatience(reads: .seconds(2), writes: .seconds(2))

    /// Serves an empty registry with the certificate `server` of the authority `ca`.
    private func served(
        requiring authority: String? = nil,
        _ body: (TestCertificates, _ port: Int, TLSContext) async throws -> Void
    ) async throws {
        try await TestCertificates.with { certificates in
            try certificates.makeAuthority("ca")
            try certificates.makeAuthority("other")
            try certificates.make("server", by: "ca")
            try await RegistryUnderTest.withDatabase { registry in
                var registry = registry
                let files = certificates.files("server", trusting: authority)
                let tls = try TLSContext(.server, files, logger: .silent)
                registry.tls = tls
                let port = FreePort.next()
                try await registry.serve(at: .tcp(host: "127.0.0.1", port: port)) {
                    try await body(certificates, port, tls)
                }
            }
        }
    }

    private func call(
        _ endpoint: RegistryEndpoint,
        _ files: TLSFiles,
        patience: RegistryPatience = .ample
    ) async throws {
        let tls = try TLSContext(.client, files, logger: .silent)
        try await withClient([endpoint], patience: patience, tls: tls) { client in
            _ = try await client.call(Self.read)
            _ = try await client.call(CreateImage(image: .sample()))
        }
    }

    @Test("a registry is believed by address and by name when its authority is", arguments: ["127.0.0.1", "localhost"])
    func believed(_ host: String) async throws {
        try await served { certificates, port, _ in
            try await call(.tls(host: host, port: port), certificates.files(nil, trusting: "ca"))
        }
    }

    @Test("a stranger's certificate, one for another host, and plain HTTP are no registry")
    func notBelieved() async throws {
        try await served { certificates, port, tls in
            let endpoint = RegistryEndpoint.tls(host: "127.0.0.1", port: port)
            await #expect(throws: RegistryError.self) {
                try await call(endpoint, certificates.files(nil, trusting: "other"), patience: Self.short)
            }
            await #expect(throws: RegistryError.self) {
                try await call(
                    .tcp(host: "127.0.0.1", port: port),
                    certificates.files(nil, trusting: "ca"),
                    patience: Self.short
                )
            }
            try certificates.make("server", by: "ca", for: "DNS:registry.example")
            tls.reload()
            await #expect(throws: RegistryError.self) {
                try await call(endpoint, certificates.files(nil, trusting: "ca"), patience: Self.short)
            }
        }
    }

    @Test("with mutual TLS only clients with a certificate of the authority are let in")
    func mutual() async throws {
        try await served(requiring: "ca") { certificates, port, _ in
            try certificates.make("client", by: "ca")
            try certificates.make("stranger", by: "other")
            let endpoint = RegistryEndpoint.tls(host: "127.0.0.1", port: port)
            try await call(endpoint, certificates.files("client", trusting: "ca"))
            for files in [certificates.files(nil, trusting: "ca"), certificates.files("stranger", trusting: "ca")] {
                await #expect(throws: RegistryError.self) { try await call(endpoint, files, patience: Self.short) }
            }
        }
    }

    @Test("certificates are replaced while the registry serves: old connections go on, new ones get the new")
    func replaced() async throws {
        try await served { certificates, port, tls in
            let endpoint = RegistryEndpoint.tls(host: "127.0.0.1", port: port)
            let old = try TLSContext(.client, certificates.files(nil, trusting: "ca"), logger: .silent)
            try await withClient([endpoint], tls: old) { client in
                _ = try await client.call(Self.read)
                try certificates.make("server", by: "other")
                tls.reload()
                _ = try await client.call(Self.read)
            }
            try await call(endpoint, certificates.files(nil, trusting: "other"))
        }
    }

    @Test("files that cannot be used are refused in a sentence that names them")
    func refusals() async throws {
        try await TestCertificates.with { certificates in
            try certificates.makeAuthority("ca")
            try certificates.make("a", by: "ca")
            try certificates.make("b", by: "ca")
            try Data("no certificate".utf8).write(to: URL(filePath: certificates.path("empty.pem")))
            try FileManager.default.copyItem(atPath: certificates.path("a.key"), toPath: certificates.path("open.key"))
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644],
                ofItemAtPath: certificates.path("open.key")
            )
            func files(_ certificate: String, _ key: String, _ authority: String? = nil) -> TLSFiles {
                TLSFiles(
                    certificate: certificates.path(certificate),
                    key: certificates.path(key),
                    authority: authority.map { certificates.path($0) }
                )
            }
            let cases: [(TLSFiles, named: String)] = [
                (files("none.pem", "a.key"), "none.pem"), (files("a.pem", "none.key"), "none.key"),
                (files("a.pem", "open.key"), "chmod"), (files("a.pem", "b.key"), "b.key"),
                (files("empty.pem", "a.key"), "empty.pem"), (files("a.pem", "a.pem"), "a.pem"),
                (files("a.pem", "a.key", "empty.pem"), "empty.pem"),
            ]
            for (files, name) in cases {
                let error = #expect(throws: TLSFiles.Fault.self) { try TLSContext(.server, files, logger: .silent) }
                #expect(error?.description.contains(name) == true, "\(files)")
            }
            _ = try TLSContext(.server, files("a.pem", "a.key", "ca.pem"), logger: .silent)
        }
    }
}

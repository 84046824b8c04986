internal import Glibc
internal import NIOSSL

/// The files from which one side of a TLS connection is made, in PEM.
public struct TLSFiles: Sendable, Equatable {
    /// This side's certificate, followed by those that lead to its authority.
    public var certificate: String?
    public var key: String?
    /// The authorities whose certificates the other side may have.
    public var authority: String?

    public init(certificate: String? = nil, key: String? = nil, authority: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.authority = authority
    }

    var paths: [String] { [certificate, key, authority].compactMap(\.self) }

    /// What is wrong with a file: a sentence for the operator.
    public struct Fault: Error, CustomStringConvertible {
        public var description: String
    }

    /// For who is connected to. With an authority, only clients that have a certificate of its are let in.
    func serverConfiguration() throws -> TLSConfiguration {
        guard let certificate, let key else { throw Fault(description: "a server needs a certificate and a key") }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try Self.certificates(certificate).map { .certificate($0) },
            privateKey: .privateKey(try Self.privateKey(key))
        )
        configuration.minimumTLSVersion = .tlsv12
        if let authority {
            configuration.trustRoots = .certificates(try Self.certificates(authority))
            // There is no host name to compare: a client is let in by who signed its certificate.
            configuration.certificateVerification = .noHostnameVerification
        }
        return configuration
    }

    /// For who connects. The other side's certificate must name the host; without an authority of our own the system's
    /// count.
    func clientConfiguration() throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let authority { configuration.trustRoots = .certificates(try Self.certificates(authority)) }
        if let certificate, let key {
            configuration.certificateChain = try Self.certificates(certificate).map { .certificate($0) }
            configuration.privateKey = .privateKey(try Self.privateKey(key))
        }
        return configuration
    }

    private static func certificates(_ path: String) throws -> [NIOSSLCertificate] {
        let found: [NIOSSLCertificate]
        do {
            found = try NIOSSLCertificate.fromPEMFile(path)
        } catch {
            throw Fault(description: "\(path) cannot be read as certificates in PEM\(reason(path))")
        }
        guard !found.isEmpty else { throw Fault(description: "\(path) holds no certificate in PEM") }
        return found
    }

    private static func privateKey(_ path: String) throws -> NIOSSLPrivateKey {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & 0o007 != 0 {
            throw Fault(description: "the key \(path) can be read by everybody: run 'chmod o= \(path)'")
        }
        do {
            return try NIOSSLPrivateKey(file: path, format: .pem)
        } catch {
            throw Fault(
                description: "\(path) cannot be read as a private key in PEM without a passphrase\(reason(path))"
            )
        }
    }

    private static func reason(_ path: String) -> String {
        access(path, R_OK) == 0 ? "" : ": \(String(cString: strerror(errno)))"
    }
}

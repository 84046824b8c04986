public import Logging
public import NIOSSL

/// What new TLS connections are made with. Follows its files: connections that exist keep what they have.
public struct TLSContext: Sendable {
    private let files: FollowedFiles<NIOSSLContext>
    /// Whether a server lets in nobody without a certificate of an authority that it was given.
    public let requiresClientCertificates: Bool

    public enum Side: Sendable { case server, client }

    /// - Throws: ``TLSFiles/Fault``, when a file cannot be used, or certificate and key do not belong together.
    public init(_ side: Side, _ paths: TLSFiles, logger: Logger) throws {
        requiresClientCertificates = side == .server && paths.authority != nil
        files = try FollowedFiles(paths.paths, logger: logger) {
            let configuration =
                switch side {
                case .server: try paths.serverConfiguration()
                case .client: try paths.clientConfiguration()
                }
            do {
                return try NIOSSLContext(configuration: configuration)
            } catch {
                let names = [paths.certificate, paths.key].compactMap(\.self).joined(separator: " and ")
                throw TLSFiles.Fault(description: "\(names) cannot be used together: \(error)")
            }
        }
    }

    public var current: NIOSSLContext { files.current }

    public func reload() { files.reload() }
}

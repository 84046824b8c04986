public import ImageModel

/// Finds out who sent a request.
public protocol IdentityProvider: Sendable {
    /// What `WWW-Authenticate` says beside a 401 (RFC 9110 §11.6.1).
    var challenge: String { get }

    /// Who is calling, by what came with the request.
    ///
    /// - Throws: `unauthenticated` (its cause, for the log, is an ``IdentityRefusal``); `unavailable` where nobody can
    ///   tell just now, and the same request may succeed a moment later.
    func identify(_ credentials: RequestCredentials) async throws(ServiceError) -> Caller

    /// Lets go of connections; nobody asks any more.
    func shutdown() async throws
}

extension IdentityProvider {
    public func shutdown() async throws {}
}

/// Why somebody was not believed. For the log: the caller hears the same sentence in every case.
public enum IdentityRefusal: String, Error, Sendable, CustomStringConvertible {
    case missingCredentials = "no credentials"
    case malformedCredentials = "malformed credentials"
    case wrongCredentials = "wrong user name or password"
    case untrustedPeer = "identity headers from a peer that is not trusted"
    case notConfirmed = "the identity is not confirmed"
    case wrongToken = "the token is not good, or has expired"
    case wrongServiceToken = "the service token is not good"
    case accessRules = "the application credential's access rules do not cover this request"
    case repeatedHeader = "an identity header occurs more than once"
    case unusableHeader = "an identity header is longer than 255 characters, or is not text"

    public var description: String { rawValue }
}

extension ServiceError {
    static func unauthenticated(_ reason: IdentityRefusal) -> ServiceError {
        ServiceError(
            .unauthenticated,
            "This server could not verify that you are authorized to access the document you requested. Either you "
                + "supplied the wrong credentials (e.g., bad password), or your browser does not understand how to "
                + "supply the credentials required.",
            cause: reason
        )
    }
}

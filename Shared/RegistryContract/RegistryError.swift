public import ImageModel
public import WireJSON

/// Why the registry did not do what it was asked: a stable enumeration, a sentence, and where useful the field.
public struct RegistryError: Error, Sendable, Equatable {
    public var code: Code
    /// Fit for the caller of the public API: no query, path or host.
    public var message: String
    /// The field that broke a rule.
    public var field: String?

    public init(_ code: Code, _ message: String, field: String? = nil) {
        self.code = code
        self.message = message
        self.field = field
    }

    /// Codes are added, never renamed or reused. An unknown one reads as ``internalError``.
    public enum Code: String, Sendable, CaseIterable {
        /// Does not exist, or the caller may not know that it does.
        case notFound
        case forbidden
        case invalid
        /// The id is taken, by a living image or by a deleted one.
        case duplicate
        /// The image is in a state that does not allow it.
        case wrongState
        /// The record changed since it was read: read again, decide again.
        case changedMeanwhile
        /// The lease of this attempt has passed on; its bytes must go.
        case leaseLost
        case limitExceeded
        /// The signature is missing, wrong, stale or repeated.
        case unauthenticated
        case unknownOperation
        case malformed
        case unsupportedProtocol
        /// The idempotency key was used for a different write.
        case keyReused
        /// Too much is waiting; repeat later.
        case overloaded
        /// The registry or its database does not answer; repeat later.
        case unavailable
        case internalError
        /// The list was given up because it took too long; asked again it would again.
        case tooExpensive
    }

    /// Whether the same operation may succeed when it is simply sent again.
    public var isRetryable: Bool { code == .overloaded || code == .unavailable }

    /// The kind of failure, as a status: the code in the body is what counts.
    public var httpStatus: Int {
        switch code {
        case .notFound: 404
        case .forbidden: 403
        case .invalid, .malformed, .unsupportedProtocol: 400
        case .unauthenticated: 401
        case .unknownOperation: 404
        case .duplicate, .wrongState, .changedMeanwhile, .leaseLost, .keyReused: 409
        case .limitExceeded: 413
        case .overloaded, .unavailable, .tooExpensive: 503
        case .internalError: 500
        }
    }
}

extension RegistryError: CustomStringConvertible {
    public var description: String { "registry: \(code.rawValue): \(message)" }
}

extension RegistryError: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("error", code.rawValue)
            writer.field("message", message)
            if let field { writer.field("field", field) }
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        code = Code(rawValue: try members.string("error")) ?? .internalError
        message = try members.string("message")
        field = try members.optionalString("field")
    }
}

extension ServiceError {
    /// The same failure in the words of the domain.
    public init(_ error: RegistryError) {
        let code: Code =
            switch error.code {
            case .notFound: .notFound
            case .forbidden: .forbidden
            case .invalid: .invalidRequest
            case .duplicate, .wrongState, .changedMeanwhile: .conflict
            case .leaseLost: .gone
            case .limitExceeded: .limitExceeded
            case .overloaded, .unavailable: .unavailable
            case .tooExpensive: .tooExpensive
            case .unauthenticated, .unknownOperation, .malformed, .unsupportedProtocol, .keyReused, .internalError:
                .internalError
            }
        // What only a misconfiguration or a bug can cause is for the log, not for the client.
        let message =
            code == .internalError
            ? "The server has either erred or is incapable of performing the requested operation." : error.message
        self.init(code, message, cause: error)
    }
}

internal import HTTPTypes
internal import ImageModel

extension ServiceError.Code {
    /// The one place that maps failures to statuses. No `default`: a new code does not compile until someone decides.
    var status: HTTPResponse.Status {
        switch self {
        case .invalidRequest: .badRequest
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .conflict: .conflict
        case .gone: .gone
        case .preconditionFailed: .preconditionFailed
        case .limitExceeded: .init(code: 413, reasonPhrase: "Request Entity Too Large")
        case .unsupportedMediaType: .unsupportedMediaType
        case .checksumMismatch: .init(code: 460, reasonPhrase: "Checksum Mismatch")
        case .rangeNotSatisfiable: .init(code: 416, reasonPhrase: "Request Range Not Satisfiable")
        case .headerTooLarge: .init(code: 431, reasonPhrase: "Request Header Fields Too Large")
        case .targetTooLong: .init(code: 414, reasonPhrase: "Request-URI Too Long")
        case .unavailable, .tooExpensive: .serviceUnavailable
        case .internalError: .internalServerError
        }
    }
}

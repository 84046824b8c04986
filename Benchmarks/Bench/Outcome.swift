/// How an exchange ended.
struct Outcome {
    /// `nil` if no answer came.
    var status: UInt?
    var byteCount: Int64 = 0
    var failure: Failure?
    /// The answer, if the request keeps it; the beginning of an error's answer in any case.
    var text = ""

    enum Failure: String {
        case timedOut = "time-out"
        case closed = "connection closed"
        case refused = "cannot connect"
        case malformed = "malformed answer"
        case wrongLength = "wrong length"
        case interrupted = "interrupted"
    }

    /// The connection was gone before the request reached anybody, as far as can be told.
    var wasNeverAnswered: Bool { failure == .closed && status == nil }

    /// - Returns: `nil` for a success, otherwise what to count it under.
    func error(for request: ServiceRequest) -> String? {
        if let failure { return failure.rawValue }
        guard status == request.expectedStatus else { return status.map { String($0) } ?? "no answer" }
        if let expected = request.expectedByteCount, expected != byteCount { return Failure.wrongLength.rawValue }
        return nil
    }
}

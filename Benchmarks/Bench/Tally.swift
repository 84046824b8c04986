internal import NIOCore

/// What one connection, or all of them together, did in a run.
struct Tally: Sendable {
    var succeeded = 0
    /// By status, or by what went wrong.
    var errors: [String: Int] = [:]
    /// The first error's answer, for the sentence that explains it.
    var firstErrorText: String?
    /// Of successes only.
    var latencies = LatencyHistogram()
    /// Of successes only, bodies without heads.
    var sentByteCount: Int64 = 0
    var receivedByteCount: Int64 = 0
    /// Connections opened again because the service had closed them.
    var reopened = 0
    var lastEnded: NIODeadline = .uptimeNanoseconds(0)

    var failed: Int { errors.values.reduce(0, +) }

    mutating func record(_ outcome: Outcome, of request: ServiceRequest, nanoseconds: Int64, endedAt: NIODeadline) {
        lastEnded = endedAt
        if let error = outcome.error(for: request) {
            errors[error, default: 0] += 1
            if firstErrorText == nil, !outcome.text.isEmpty { firstErrorText = outcome.text }
            return
        }
        succeeded += 1
        latencies.record(nanoseconds: nanoseconds)
        sentByteCount += request.body.byteCount
        receivedByteCount += outcome.byteCount
    }

    mutating func merge(_ other: Tally) {
        succeeded += other.succeeded
        errors.merge(other.errors, uniquingKeysWith: +)
        firstErrorText = firstErrorText ?? other.firstErrorText
        latencies.merge(other.latencies)
        sentByteCount += other.sentByteCount
        receivedByteCount += other.receivedByteCount
        reopened += other.reopened
        lastEnded = max(lastEnded, other.lastEnded)
    }

    /// "403 × 12, time-out × 1", and the first error's words.
    var errorSentence: String {
        let counts = errors.sorted { $0.value > $1.value }.map { "\($0.key) × \($0.value)" }.joined(separator: ", ")
        guard let firstErrorText else { return counts }
        // What a service sends must not steer the terminal.
        let printable = firstErrorText.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) }
        return counts + ": " + String(printable)
    }
}

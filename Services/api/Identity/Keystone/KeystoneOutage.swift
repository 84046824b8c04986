/// How Keystone did of late. After several connections in a row that failed it is left alone for a moment.
struct KeystoneOutage {
    private static let failureLimit = 3

    private let rest: Duration
    private var failureCount = 0
    private var restsUntil: ContinuousClock.Instant?

    init(rest: Duration) { self.rest = rest }

    var isResting: Bool { restsUntil.map { ContinuousClock.now < $0 } ?? false }

    /// Takes in how an exchange ended; `nil`: well.
    ///
    /// - Returns: whether this failure is news.
    mutating func note(_ failure: KeystoneFailure?) -> Bool {
        switch failure {
        case nil:
            self = KeystoneOutage(rest: rest)
            return false
        case .resting, .busy: return false
        case .serviceRefused, .status, .malformed: return true
        case .unreachable, .timedOut:
            failureCount += 1
            if failureCount >= Self.failureLimit { restsUntil = .now + rest }
            return failureCount == 1
        }
    }
}

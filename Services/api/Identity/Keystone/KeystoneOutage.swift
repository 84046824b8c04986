/// How Keystone did of late. After several connections in a row that failed it is left alone for a moment.
struct KeystoneOutage {
    private static let failureLimit = 3
    private static let rest = Duration.seconds(1)

    private var failureCount = 0
    private var restsUntil: ContinuousClock.Instant?

    var isResting: Bool { restsUntil.map { ContinuousClock.now < $0 } ?? false }

    /// Takes in how an exchange ended; `nil`: well.
    ///
    /// - Returns: whether this failure is news.
    mutating func note(_ failure: KeystoneFailure?) -> Bool {
        switch failure {
        case nil:
            self = KeystoneOutage()
            return false
        case .resting, .busy: return false
        case .serviceRefused, .status, .malformed: return true
        case .unreachable, .timedOut:
            failureCount += 1
            if failureCount >= Self.failureLimit { restsUntil = .now + Self.rest }
            return failureCount == 1
        }
    }
}

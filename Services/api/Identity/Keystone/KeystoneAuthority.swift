internal import CoreMetrics
internal import ImageModel
internal import Logging
internal import Synchronization

/// Asks Keystone about tokens: a few at a time, each within a bound of time, and not at all for a moment after it failed
/// several times in a row.
final class KeystoneAuthority: Sendable {
    private let settings: KeystoneSettings
    private let http: KeystoneHTTP
    private let session: KeystoneSession
    private let turns: Turnstile
    private let outage: Mutex<KeystoneOutage>
    private let logger: Logger

    init(_ settings: KeystoneSettings, now: @escaping @Sendable () -> Timestamp, logger: Logger)
        throws(KeystoneFailure)
    {
        self.settings = settings
        outage = Mutex(KeystoneOutage(rest: settings.outageRest))
        http = try KeystoneHTTP(settings)
        session = KeystoneSession(settings, http: http, now: now)
        turns = Turnstile(limit: settings.callLimit, waitingLimit: settings.waitingLimit)
        self.logger = logger
    }

    func shutdown() async throws { try await http.shutdown() }

    /// What a token says, or `nil` for one that is not good.
    func validate(_ token: String, allowsExpired: Bool) async throws(KeystoneFailure) -> KeystoneToken? {
        guard token.isToken else { return nil }
        // Time for a login of our own beside the question itself.
        let deadline = ContinuousClock.now + settings.exchangeTimeout * 2
        guard await turns.enter(until: deadline) else {
            record("busy")
            throw .busy
        }
        defer { turns.leave() }
        do throws(KeystoneFailure) {
            guard !outage.withLock({ $0.isResting }) else { throw .resting }
            let answer = try await ask(token, allowsExpired, until: deadline)
            note(nil)
            record(answer == nil ? "refused" : "accepted")
            return answer
        } catch {
            note(error)
            record("failed")
            throw error
        }
    }

    /// Asks once more with a new login when the first is not accepted.
    private func ask(_ token: String, _ allowsExpired: Bool, until deadline: ContinuousClock.Instant)
        async throws(KeystoneFailure) -> KeystoneToken?
    {
        var query: [String] = []
        if settings.serviceType == nil { query.append("nocatalog=1") }
        if allowsExpired { query.append("allow_expired=1") }
        let suffix = query.isEmpty ? "" : "?" + query.joined(separator: "&")
        var login = try await session.login(until: deadline)
        for attempt in 0..<2 {
            let answer = try await http.get(
                "\(login.endpoint)/auth/tokens\(suffix)",
                [
                    ("X-Auth-Token", login.token), ("X-Subject-Token", token),
                    ("OpenStack-Identity-Access-Rules", "1.0"),
                ],
                until: deadline
            )
            switch answer.status {
            case 200: return try KeystoneToken(document: answer.body)
            case 404: return nil
            // The one part of the question that callers choose is the token: such a one was never issued.
            case 400, 413, 414, 431: return nil
            case 401 where attempt == 0: login = try await session.login(instead: login, until: deadline)
            case 401, 403: throw .serviceRefused
            default: throw .status(answer.status, doing: "validate a token")
            }
        }
        throw .serviceRefused
    }

    private func note(_ failure: KeystoneFailure?) {
        guard outage.withLock({ $0.note(failure) }), let failure else { return }
        logger.warning("Tokens cannot be validated", metadata: ["reason": "\(failure)"])
    }

    private func record(_ outcome: String) {
        Counter(label: "keystone_validations", dimensions: [("outcome", outcome)]).increment()
    }
}

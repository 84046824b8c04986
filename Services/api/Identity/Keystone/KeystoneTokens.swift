internal import ImageModel
internal import Logging
internal import Synchronization

/// Tokens and what they say: from memory, from the shared cache, or from Keystone, which is asked once about a token
/// however many requests bring it.
final class KeystoneTokens: Sendable {
    private let authority: KeystoneAuthority
    private let sharedCache: SharedTokenCache?
    private let cachedFor: Duration
    private let now: @Sendable () -> Timestamp
    private let answers: Mutex<TokenAnswers<Waiter>>

    private typealias Outcome = Result<KeystoneToken?, KeystoneFailure>
    private typealias Waiter = CheckedContinuation<Outcome, Never>

    init(
        _ settings: KeystoneSettings,
        authority: KeystoneAuthority,
        sharedCache: SharedTokenCache?,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.authority = authority
        self.sharedCache = sharedCache
        cachedFor = settings.cachedFor
        self.now = now
        answers = Mutex(
            TokenAnswers(
                capacity: settings.capacity,
                cachedFor: settings.cachedFor,
                refusedFor: settings.refusedFor,
                outageTime: settings.outageTime
            )
        )
    }

    /// - Returns: `nil` for a token that is not good, or has expired while that matters.
    /// - Throws: why nobody could tell. Waits no longer than the authority's bounds let it.
    func token(_ text: String, allowsExpired: Bool) async throws(KeystoneFailure) -> KeystoneToken? {
        let key = TokenKey(text, allowsExpired: allowsExpired)
        if case .known(let token)? = answers.withLock({ $0.known(key, now: now()) }) { return token }
        let outcome = await withCheckedContinuation { (waiter: Waiter) in
            switch answers.withLock({ $0.ask(key, waiter, now: now()) }) {
            case .known(let token): waiter.resume(returning: .success(token))
            case .joined: break
            // Outlives a caller who goes away: others wait for it too, and it ends by its own bounds.
            case .started: Task { await self.find(text, key) }
            }
        }
        return try outcome.get()
    }

    private func find(_ text: String, _ key: TokenKey) async {
        if let found = await sharedCache?.token(for: key), now() < found.confirmed.advanced(by: cachedFor) {
            return finish(key, found.token, confirmed: found.confirmed)
        }
        do throws(KeystoneFailure) {
            let token = try await authority.validate(text, allowsExpired: key.allowsExpired)
            let confirmed = now()
            finish(key, token, confirmed: confirmed)
            if let token, cachedFor > .zero {
                await sharedCache?.keep(token, for: key, confirmed: confirmed, cachedFor)
            }
        } catch {
            let (waiters, step) = answers.withLock { $0.fail(key, now: now()) }
            let outcome: Outcome = if case .known(let token)? = step { .success(token) } else { .failure(error) }
            for waiter in waiters { waiter.resume(returning: outcome) }
        }
    }

    private func finish(_ key: TokenKey, _ token: KeystoneToken?, confirmed: Timestamp) {
        // Keystone's clock and ours may differ by a little; ours decides.
        let isExpired = token.map { $0.expiry <= now() && !key.allowsExpired } ?? false
        for waiter in answers.withLock({ $0.finish(key, token, confirmed: confirmed) }) {
            waiter.resume(returning: .success(isExpired ? nil : token))
        }
    }
}

internal import Digests
internal import ImageModel

/// What is known of tokens that were asked about, and which are being asked about: pure bookkeeping, its owner locks it.
struct TokenAnswers<Waiter> {
    private var answers: RecentlyUsed<TokenKey, Answer>
    private var waiting: [TokenKey: [Waiter]] = [:]
    private let cachedFor: Duration
    private let refusedFor: Duration
    private let outageTime: Duration

    private struct Answer {
        /// `nil` for a token that is not good.
        var token: KeystoneToken?
        var confirmed: Timestamp
        var freshUntil: Timestamp
    }

    /// Where a question about a token stands.
    enum Step: Equatable {
        case known(KeystoneToken?)
        /// Somebody asks about the same token already.
        case joined
        /// The asker has to ask Keystone, and to say ``finish(_:_:now:)``.
        case started
    }

    init(capacity: Int, cachedFor: Duration, refusedFor: Duration, outageTime: Duration) {
        answers = RecentlyUsed(capacity: capacity)
        self.cachedFor = cachedFor
        self.refusedFor = refusedFor
        self.outageTime = outageTime
    }

    mutating func ask(_ key: TokenKey, _ waiter: Waiter, now: Timestamp) -> Step {
        if let step = known(key, now: now) { return step }
        guard waiting[key] == nil else {
            waiting[key, default: []].append(waiter)
            return .joined
        }
        waiting[key] = [waiter]
        return .started
    }

    /// A token that has expired is not asked about again: it stays expired.
    mutating func known(_ key: TokenKey, now: Timestamp) -> Step? {
        guard let answer = answers[key] else { return nil }
        if let token = answer.token, token.expiry <= now, !key.allowsExpired { return .known(nil) }
        return now < answer.freshUntil ? .known(answer.token) : nil
    }

    /// Takes down what Keystone, or the shared cache, said of a token.
    ///
    /// - Parameter confirmed: When Keystone said so.
    /// - Returns: Everybody who waits for it.
    mutating func finish(_ key: TokenKey, _ token: KeystoneToken?, confirmed: Timestamp) -> [Waiter] {
        let time = token == nil ? refusedFor : cachedFor
        if time > .zero {
            answers[key] = Answer(token: token, confirmed: confirmed, freshUntil: confirmed.advanced(by: time))
        }
        return waiting.removeValue(forKey: key) ?? []
    }

    /// Nobody could say anything of the token: it stays what it was, for a bounded time.
    ///
    /// - Returns: Everybody who waits, and what is known all the same, if anything is: the earlier answer while it may
    ///   stand in, or that the token has expired while it was asked about.
    mutating func fail(_ key: TokenKey, now: Timestamp) -> (waiters: [Waiter], step: Step?) {
        let waiters = waiting.removeValue(forKey: key) ?? []
        guard let answer = answers[key], let token = answer.token else { return (waiters, nil) }
        guard now < token.expiry else { return (waiters, key.allowsExpired ? nil : Step.known(nil)) }
        let standsIn = now < answer.confirmed.advanced(by: outageTime)
        return (waiters, standsIn ? Step.known(token) : nil)
    }
}

/// Stands for a token in memory and in the shared cache.
struct TokenKey: Sendable, Hashable {
    var digest: Digest
    /// Whether it was asked for in a way that lets an expired token pass.
    var allowsExpired: Bool

    init(_ token: String, allowsExpired: Bool) {
        digest = Digest.of(Array(token.utf8))
        self.allowsExpired = allowsExpired
    }
}

/// Values that are kept as long as they are used now and then, and never more than `capacity` of them.
///
/// Two generations: what is used moves into the young one, and when that is full, the old one goes. So every access
/// takes the same small time, and a flood of new keys cannot push out what is used between two of its waves.
struct RecentlyUsed<Key: Hashable, Value> {
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    private let generationLimit: Int

    init(capacity: Int) {
        precondition(capacity >= 2)
        generationLimit = capacity / 2
    }

    var count: Int { young.count + old.count }

    subscript(key: Key) -> Value? {
        mutating get {
            if let value = young[key] { return value }
            guard let value = old.removeValue(forKey: key) else { return nil }
            insert(value, key)
            return value
        }
        set {
            old[key] = nil
            if let newValue { insert(newValue, key) } else { young[key] = nil }
        }
    }

    private mutating func insert(_ value: Value, _ key: Key) {
        if young.count >= generationLimit, young[key] == nil {
            old = young
            young = [:]
        }
        young[key] = value
    }
}

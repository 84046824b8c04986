internal import Digests

/// What is known of credentials that were checked, and which are being checked: pure bookkeeping, its owner locks it.
///
/// A key stands for user, password and stored hash together, so that a changed password is a new key.
struct Verifications<Waiter> {
    private var accepted: ExpiringSet<Digest>
    private var refused: ExpiringSet<Digest>
    private var waiting: [Digest: [Waiter]] = [:]
    private let acceptedFor: Duration
    private let refusedFor: Duration

    /// Where a question about credentials stands.
    enum Step: Equatable {
        case known(Bool)
        /// Somebody checks the same credentials already.
        case joined
        /// The asker has to check, and to say ``finish(_:_:now:)``.
        case started
    }

    /// At most `capacity` accepted credentials are remembered, and as many refused ones.
    init(capacity: Int, acceptedFor: Duration, refusedFor: Duration) {
        accepted = ExpiringSet(capacity: capacity)
        refused = ExpiringSet(capacity: capacity)
        self.acceptedFor = acceptedFor
        self.refusedFor = refusedFor
    }

    func known(_ key: Digest, now: Duration) -> Bool? {
        if accepted.contains(key, now: now) { return true }
        return refused.contains(key, now: now) ? false : nil
    }

    mutating func ask(_ key: Digest, _ waiter: Waiter, now: Duration) -> Step {
        if let answer = known(key, now: now) { return .known(answer) }
        guard waiting[key] == nil else {
            waiting[key, default: []].append(waiter)
            return .joined
        }
        waiting[key] = [waiter]
        return .started
    }

    /// Takes the answer down; `nil` when nobody could check, which is not remembered.
    ///
    /// - Returns: Everybody who waits for the answer.
    mutating func finish(_ key: Digest, _ answer: Bool?, now: Duration) -> [Waiter] {
        switch answer {
        case true?: accepted.insert(key, until: now + acceptedFor, now: now)
        case false?: refused.insert(key, until: now + refusedFor, now: now)
        case nil: break
        }
        return waiting.removeValue(forKey: key) ?? []
    }
}

/// Elements that are members for a while; never more than `capacity` of them.
struct ExpiringSet<Element: Hashable> {
    private var expiries: [Element: Duration] = [:]
    private let capacity: Int

    init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    var count: Int { expiries.count }

    func contains(_ element: Element, now: Duration) -> Bool {
        guard let expiry = expiries[element] else { return false }
        return now < expiry
    }

    /// Where there is no room, what has expired goes, then what would expire first. Looking for it takes a walk over
    /// all of them, which is nothing beside the work that an element here stands for.
    mutating func insert(_ element: Element, until expiry: Duration, now: Duration) {
        if expiries.count >= capacity, expiries[element] == nil {
            expiries = expiries.filter { now < $0.value }
            if expiries.count >= capacity, let first = expiries.min(by: { $0.value < $1.value }) {
                expiries[first.key] = nil
            }
        }
        expiries[element] = expiry
    }
}

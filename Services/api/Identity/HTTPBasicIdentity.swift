internal import Digests
internal import HTTPTypes
public import ImageModel
internal import Synchronization

/// Believes whoever knows the password of a user in a password file (`auth_strategy = http_basic`, RFC 7617).
///
/// A password check is made to be slow, so it runs on threads of its own, once for any number of requests that bring
/// the same credentials at the same time, and its outcome is remembered: a good one for minutes, a bad one for seconds.
/// Clients and users take turns, so that a flood of wrong passwords leaves room for the others.
/// What the user may do is read from the file every time. Passwords are not kept: what is remembered is an HMAC under a
/// key that this process alone knows. An unknown name takes as long as a wrong password.
public final class HTTPBasicIdentity: IdentityProvider {
    public let challenge: String
    private let users: HTPasswdFile
    private let isAdmin: @Sendable (Set<String>) -> Bool
    private let allowsAnonymous: Bool
    private let check: PasswordCheck
    private let now: @Sendable () -> Duration
    private let threads: CryptThreads
    private let key = randomBytes(32)
    private let verifications: Mutex<Verifications<Waiter>>

    private typealias Waiter = CheckedContinuation<Outcome, Never>
    typealias PasswordCheck = @Sendable (_ password: [UInt8], _ hash: BcryptHash) -> Bool

    private enum Outcome {
        case accepted, refused, busy
    }

    /// How much is remembered, and how much is done at once.
    public struct Limits: Sendable {
        /// For how long good credentials are not checked again.
        public var acceptedFor = Duration.seconds(300)
        /// For how long bad credentials are not checked again.
        public var refusedFor = Duration.seconds(3)
        /// How many good credentials are remembered, and how many bad ones.
        public var capacity = 4_096
        /// How many checks run at once.
        public var threadLimit = 2
        /// How many more checks may wait; what comes then is `unavailable`, or of a lane with many one that waits.
        public var queueLimit = 64

        public init() {}
    }

    /// - Parameters:
    ///   - users: Followed as the file changes.
    ///   - isAdmin: Whether roles, in lower case, make an administrator (policy rule `context_is_admin`).
    ///   - allowsAnonymous: Whether a request without any credentials may read what is open to all.
    ///   - limits: How much is remembered, and how much is done at once.
    public convenience init(
        users: HTPasswdFile,
        isAdmin: @escaping @Sendable (Set<String>) -> Bool,
        allowsAnonymous: Bool = false,
        limits: Limits = Limits()
    ) {
        self.init(
            users: users,
            isAdmin: isAdmin,
            allowsAnonymous: allowsAnonymous,
            limits: limits,
            now: monotonicTime,
            check: BcryptHash.check
        )
    }

    init(
        users: HTPasswdFile,
        isAdmin: @escaping @Sendable (Set<String>) -> Bool,
        allowsAnonymous: Bool,
        limits: Limits,
        now: @escaping @Sendable () -> Duration,
        check: @escaping PasswordCheck
    ) {
        challenge = "Basic realm=\"Image service\", charset=\"UTF-8\""
        self.users = users
        self.isAdmin = isAdmin
        self.allowsAnonymous = allowsAnonymous
        self.now = now
        self.check = check
        threads = CryptThreads(threadLimit: limits.threadLimit, queueLimit: limits.queueLimit)
        verifications = Mutex(
            Verifications(
                capacity: limits.capacity,
                acceptedFor: limits.acceptedFor,
                refusedFor: limits.refusedFor
            )
        )
    }

    public func identify(_ credentials: RequestCredentials) async throws(ServiceError) -> Caller {
        guard let authorization = credentials.headers[.authorization] else {
            if allowsAnonymous { return .anonymous }
            throw .unauthenticated(.missingCredentials)
        }
        guard let given = BasicCredentials(authorization: authorization) else {
            throw .unauthenticated(.malformedCredentials)
        }
        let table = users.current()
        let user = table[given.user]
        let lane = CryptThreads.Lane(peer: credentials.peer, user: user?.name)
        let outcome = await verify(given, user?.hash ?? table.dummyHash, isKnown: user != nil, lane)
        switch outcome {
        case .busy: throw ServiceError(.unavailable, "Too many passwords are being checked. Try again.")
        case .refused: throw .unauthenticated(.wrongCredentials)
        case .accepted: break
        }
        guard let user else { throw .unauthenticated(.wrongCredentials) }
        return Caller(user: user.userID, project: user.project, roles: user.roles, isAdmin: isAdmin(user.roles))
    }

    /// Is not cancelled: a check that runs serves everybody who waits for it, and it is short.
    private func verify(
        _ given: BasicCredentials,
        _ hash: BcryptHash,
        isKnown: Bool,
        _ lane: CryptThreads.Lane
    ) async -> Outcome {
        let key = key(of: given, hash)
        if let answer = verifications.withLock({ $0.known(key, now: now()) }) { return answer ? .accepted : .refused }
        return await withCheckedContinuation { waiter in
            switch verifications.withLock({ $0.ask(key, waiter, now: now()) }) {
            case .known(let answer): waiter.resume(returning: answer ? .accepted : .refused)
            case .joined: break
            case .started:
                let job = CryptThreads.Job(
                    run: { [self] in
                        let matches = check(given.password, hash)
                        finish(key, matches && isKnown)
                    },
                    drop: { [self] in finish(key, nil) }
                )
                threads.submit(job, in: lane)
            }
        }
    }

    private func finish(_ key: Digest, _ answer: Bool?) {
        let outcome: Outcome =
            switch answer {
            case true?: .accepted
            case false?: .refused
            case nil: .busy
            }
        for waiter in verifications.withLock({ $0.finish(key, answer, now: now()) }) {
            waiter.resume(returning: outcome)
        }
    }

    /// Stands for user, password and stored hash. A zero cannot occur in any of them, so it tells where each ends.
    private func key(of given: BasicCredentials, _ hash: BcryptHash) -> Digest {
        hmacSHA256(key: key, Array(given.user.utf8) + [0] + given.password + [0] + Array(hash.text.utf8))
    }
}

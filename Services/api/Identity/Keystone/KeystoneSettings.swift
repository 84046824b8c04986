/// How tokens are checked (`[keystone_authtoken]`).
public struct KeystoneSettings: Sendable {
    /// Where the service logs in; with or without `/v3`.
    public var authURL: KeystoneURL
    public var credential: KeystoneCredential
    /// What a 401 tells clients of where to get a token; where tokens are validated when `nil`.
    public var challengeURI: String?
    /// Which of Keystone's own endpoints is asked: `public`, `internal` or `admin`; and in which region, if it matters.
    public var interface = "internal"
    public var region: String?
    public var tls = KeystoneTLS()
    /// How long one exchange may take, from the connection to the last byte.
    public var exchangeTimeout = Duration.seconds(5)
    /// How often an exchange is tried again whose connection failed; answers and time-outs are final.
    public var retryLimit = 3
    /// How long a good token is not asked for again, at most until it expires. Zero: it is asked for every time.
    public var cachedFor = Duration.seconds(300)
    /// How long a refused token is not asked for again.
    public var refusedFor = Duration.seconds(5)
    /// How long after it was last confirmed an unexpired token stays good while Keystone cannot be asked.
    public var outageTime = Duration.seconds(3600)
    /// How many tokens are remembered, good and bad ones together.
    public var capacity = 20_000
    /// Any of these makes a service token, which lets expired user tokens pass.
    public var serviceRoles: Set<String> = ["service"]
    public var requiresServiceRoles = true
    /// The catalogue type of this service, by which access rules of application credentials name it.
    public var serviceType: String?
    /// A token that is not good makes its bearer anonymous where that is allowed, instead of being refused.
    public var delaysDecision = true
    /// How many exchanges run at once, and how many more tokens may wait for their turn.
    public var callLimit = 32
    public var waitingLimit = 512
    public var sharedCache: MemcachedSettings?
    /// How long nobody logs in after Keystone refused our own credential: too many wrong passwords in a row lock the
    /// service user out.
    var refusalPause = Duration.seconds(10)
    /// How long Keystone is left alone after several connections in a row that failed.
    var outageRest = Duration.seconds(1)

    public init(authURL: KeystoneURL, credential: KeystoneCredential) {
        self.authURL = authURL
        self.credential = credential
    }
}

/// Certificates of connections to Keystone, each the path of a PEM file.
public struct KeystoneTLS: Sendable {
    /// Whom to believe, instead of the system's authorities.
    public var authorities: String?
    /// Who we are, where Keystone asks for it.
    public var certificate: String?
    public var key: String?
    /// Believe any certificate.
    public var isInsecure = false

    public init() {}
}

/// What both sides of the wire must agree on before they read a body.
public enum RegistryProtocol {
    /// The newest version that this program speaks.
    public static let current = 1
    /// The oldest version that it still speaks: one release back.
    public static let oldest = 1

    public static let pathPrefix = "/v1/"
    /// No operation carries image data; a body beyond this is refused unread.
    public static let bodyLimit = 4 << 20

    /// The newest version that both sides speak; `nil` when there is none.
    public static func negotiated(theirOldest: Int, theirCurrent: Int) -> Int? {
        let version = min(current, theirCurrent)
        return version >= max(oldest, theirOldest) ? version : nil
    }

    /// Header names, lower case.
    public enum Header {
        public static let keyID = "glance-key-id"
        /// Seconds since 1970.
        public static let timestamp = "glance-timestamp"
        public static let nonce = "glance-nonce"
        public static let signature = "glance-signature"
        /// In a request the version in use; in an answer `oldest-current`.
        public static let version = "glance-protocol"
        /// In a request: for how many milliseconds more its answer is waited for. Not signed: who can change it can hold
        /// the request back as well.
        public static let patience = "glance-patience"
        /// In an answer: ``RegistryTimes``.
        public static let times = "glance-times"
    }
}

/// How many tags, custom properties and members an image may have (options `image_tag_quota`, `image_property_quota`,
/// `image_member_quota`).
public struct ImageLimits: Sendable, Equatable {
    /// Negative: no limit.
    public var tagQuota: Int
    /// Negative: no limit.
    public var propertyQuota: Int
    /// Negative: no limit. Members are counted where they are kept, in the transaction that adds one.
    public var memberQuota: Int

    public init(tagQuota: Int = 128, propertyQuota: Int = 128, memberQuota: Int = 128) {
        self.tagQuota = tagQuota
        self.propertyQuota = propertyQuota
        self.memberQuota = memberQuota
    }

    /// - Throws: ``ServiceError`` (`limitExceeded`).
    public func requireRoom(forTags count: Int) throws(ServiceError) {
        try requireRoom("tags", attempted: count, maximum: tagQuota)
    }

    /// - Parameter names: The custom properties that the image would have. The service's own (`os_glance*`) do not
    ///   count.
    /// - Throws: ``ServiceError`` (`limitExceeded`).
    public func requireRoom(forProperties names: some Sequence<String>) throws(ServiceError) {
        let count = names.reduce(0) { $0 + (PropertyName($1).isInternal ? 0 : 1) }
        try requireRoom("properties", attempted: count, maximum: propertyQuota)
    }

    private func requireRoom(_ noun: String, attempted: Int, maximum: Int) throws(ServiceError) {
        guard maximum >= 0, attempted > maximum else { return }
        throw ServiceError(
            .limitExceeded,
            "The limit has been exceeded on the number of allowed image \(noun). "
                + "Attempted: \(attempted), Maximum: \(maximum)"
        )
    }
}

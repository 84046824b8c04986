extension Image {
    /// Replaces all tags. A tag given twice counts once and keeps its first place.
    ///
    /// - Throws: ``ServiceError`` (`limitExceeded`).
    public mutating func setTags(_ tags: [String], limits: ImageLimits) throws(ServiceError) {
        let distinct = Self.distinctTags(tags)
        try limits.requireRoom(forTags: distinct.count)
        self.tags = distinct
    }

    /// Adds one tag.
    ///
    /// - Returns: Whether it was missing.
    /// - Throws: ``ServiceError``: `invalidRequest` for a tag of more than 255 characters, `limitExceeded`.
    public mutating func addTag(_ tag: String, limits: ImageLimits) throws(ServiceError) -> Bool {
        guard tag.unicodeScalars.count <= 255 else {
            throw ServiceError(
                .invalidRequest,
                "Provided object does not match schema 'image': 'tags' is longer than 255 characters."
            )
        }
        guard !hasTag(tag) else { return false }
        try limits.requireRoom(forTags: tags.count + 1)
        tags.append(tag)
        return true
    }

    /// - Returns: Whether there was such a tag.
    public mutating func removeTag(_ tag: String) -> Bool {
        let before = tags.count
        tags.removeAll { $0.utf8.elementsEqual(tag.utf8) }
        return tags.count < before
    }

    public func hasTag(_ tag: String) -> Bool { tags.contains { $0.utf8.elementsEqual(tag.utf8) } }

    /// Tags are compared as the database does, by their bytes; Swift would take two spellings of "é" for one.
    static func distinctTags(_ tags: [String]) -> [String] {
        var seen: Set<[UInt8]> = []
        return tags.filter { seen.insert(Array($0.utf8)).inserted }
    }
}

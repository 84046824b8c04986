public import ImageModel
public import RegistryContract

extension ImageTable {
    /// Puts what a client may change, locations included, as `image` has it, while the record is at `image.revision`.
    ///
    /// - Throws: `changedMeanwhile`; `invalid` or `wrongState` for a location that the image may not have;
    ///   `limitExceeded`.
    public func relocate(
        _ image: Image,
        as caller: Caller,
        holder: Holder,
        claimedUntil: Timestamp,
        within limits: UsageLimits = .none,
        at now: Timestamp
    ) throws -> RelocatedImage {
        try UsageTable(connection).withinQuota(of: image.owner, limits) {
            try relocated(image, as: caller, holder: holder, claimedUntil: claimedUntil, at: now)
        }
    }

    private func relocated(
        _ image: Image,
        as caller: Caller,
        holder: Holder,
        claimedUntil: Timestamp,
        at now: Timestamp
    ) throws -> RelocatedImage {
        if image.status == .active, !image.locations.isEmpty { try activate(image) }
        _ = try update(image, as: caller, at: now)
        let deletions = try LocationTable(connection).replace(
            ofImage: image.id,
            with: image.locations,
            holder: holder,
            claimedUntil: claimedUntil,
            at: now
        )
        return RelocatedImage(image: try self.image(image.id), deletions: deletions)
    }

    /// The move that a first location makes; whether the caller may is what the update behind it asks.
    private func activate(_ image: Image) throws {
        try connection.execute(
            """
            UPDATE images SET status = 'active', size = ?, checksum = ?, os_hash_algo = ?, os_hash_value = ?
            WHERE id = ? AND status = 'queued' AND revision = ? AND deleted_at IS NULL
            """,
            [
                SQLValue(image.size), SQLValue(image.checksum), SQLValue(image.hashAlgorithm),
                SQLValue(image.hashValue), .text(image.id.text), .integer(image.revision),
            ]
        )
    }

    /// Records digests where there are none, while the image still names what was read.
    public func record(_ digests: RecordDigests, at now: Timestamp) throws {
        try connection.execute(
            """
            UPDATE images SET checksum = ?, os_hash_algo = ?, os_hash_value = ?, updated_at = ?, revision = revision + 1
            WHERE id = ? AND deleted_at IS NULL AND status IN ('active', 'deactivated') AND checksum IS NULL
                AND os_hash_algo IS NULL AND os_hash_value IS NULL
                AND EXISTS (SELECT 1 FROM image_locations l
                    WHERE l.image_id = images.id AND l.url = ? AND l.state = 'live')
            """,
            [
                .text(digests.checksum), .text(digests.hashAlgorithm), .text(digests.hashValue),
                .integer(now.microseconds), .text(digests.image.text), .text(digests.url),
            ]
        )
    }
}

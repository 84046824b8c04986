public import ImageModel
public import RegistryContract
internal import WireJSON

/// Uploads under way and their leases.
public struct UploadTable {
    let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    public func begin(
        _ upload: BeginUpload,
        as caller: Caller,
        lease: Duration,
        claimedUntil: Timestamp,
        at now: Timestamp
    ) throws -> UploadClaim {
        try claim(
            Attempt(
                image: upload.image,
                name: upload.attempt,
                holder: upload.holder,
                store: upload.store,
                url: upload.url,
                metadata: upload.externalMetadata ?? upload.locationMetadata,
                size: upload.size,
                limits: upload.limits,
                status: upload.externalMetadata == nil ? .saving : .importing
            ),
            settling: {
                let locations = LocationTable(connection)
                if upload.externalMetadata != nil {
                    try locations.requireFree(upload.url, for: upload.image)
                    return []
                }
                return try locations.deletions(at: upload.url, claimFor: upload.holder, until: claimedUntil)
            },
            as: caller,
            lease: lease,
            at: now
        )
    }

    /// One try at putting data somewhere, and the status that its image has meanwhile.
    struct Attempt {
        var image: ImageID
        var name: String
        var holder: Holder
        var store: String?
        var url: String
        /// What the location is recorded with; `nil` for nothing but its store.
        var metadata: JSONObject?
        /// As declared, in bytes.
        var size: Int64?
        var limits: UsageLimits
        var status: ImageStatus
    }

    /// Claims a queued image, unless there is something to be settled first.
    func claim(
        _ attempt: Attempt,
        settling: () throws -> [PendingDeletion],
        as caller: Caller,
        lease: Duration,
        at now: Timestamp
    ) throws -> UploadClaim {
        let images = ImageTable(connection)
        let image = try images.image(attempt.image, visibleTo: caller)
        try images.requireMutable(image, by: caller)
        guard image.status == .queued else { throw Self.refusal(from: image.status, to: attempt.status) }
        let toSettle = try settling()
        guard toSettle.isEmpty else { return UploadClaim(leaseSeconds: 0, toSettle: toSettle) }
        let locations = LocationTable(connection)
        try locations.forgetRefused(ofImage: attempt.image)
        let isStaging = attempt.status == .uploading
        try UsageTable(connection)
            .requireRoom(forUploadOf: image.owner, size: attempt.size, staging: isStaging, attempt.limits)
        guard try images.move(attempt.image, from: .queued, to: attempt.status, at: now) else {
            throw Self.refusal(from: attempt.status, to: attempt.status)
        }
        try locations.intend(
            image: attempt.image,
            url: attempt.url,
            store: attempt.store,
            metadata: attempt.metadata,
            attempt: attempt.name,
            at: now
        )
        let reserved = min(attempt.size ?? 0, UsageTable.largestSize)
        try connection.execute(
            """
            INSERT INTO uploads (attempt, image_id, node, process, expires_at, created_at, reserved, reserved_staging,
                storage_quota)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(attempt.name), .text(attempt.image.text), .text(attempt.holder.node),
                .text(attempt.holder.process), .integer(now.advanced(by: lease).microseconds),
                .integer(now.microseconds), .integer(isStaging ? 0 : reserved),
                .integer(isStaging ? reserved : 0),
                isStaging ? .null : SQLValue(attempt.limits.storageQuota),
            ]
        )
        return UploadClaim(leaseSeconds: lease.components.seconds)
    }

    private static func refusal(from: ImageStatus, to: ImageStatus) -> RegistryError {
        RegistryError(
            .wrongState,
            "Image status transition from \(from.rawValue) to \(to.rawValue) is not allowed"
        )
    }

    /// - Returns: the attempts that still held their lease, now prolonged.
    public func renew(_ attempts: [String], holder: Holder, lease: Duration, at now: Timestamp) throws -> [String] {
        try attempts.filter { attempt in
            try connection.execute(
                "UPDATE uploads SET expires_at = ? WHERE attempt = ? AND process = ? AND expires_at > ?",
                [
                    .integer(now.advanced(by: lease).microseconds), .text(attempt), .text(holder.process),
                    .integer(now.microseconds),
                ]
            ) == 1
        }
    }

    /// - Throws: `leaseLost`; `limitExceeded` where a quota has no room for bytes that nobody took room for; `wrongState` where
    ///   a session has other parts than were published.
    public func finish(_ upload: FinishUpload, at now: Timestamp) throws -> Image {
        let held = try held(upload.attempt, at: now), id = held.image
        let size = min(upload.size, UsageTable.largestSize)
        _ = try takeRoom(ReserveUpload(attempt: upload.attempt, needed: size, wanted: size), for: held)
        let locations = LocationTable(connection)
        if try activate(id, from: .saving, upload, at: now) {
            try locations.makeLive(attempt: upload.attempt, identity: upload.identity)
        } else if try activate(id, from: .importing, upload, at: now) {
            try locations.makeLive(external: upload.attempt)
        } else {
            throw Self.leaseLost
        }
        try connection.execute("DELETE FROM uploads WHERE attempt = ?", [.text(upload.attempt)])
        try UploadSessionTable(connection)
            .finish(attempt: upload.attempt, byteCount: upload.size, digests: upload.digests)
        return try ImageTable(connection).image(id)
    }

    /// Gives a running upload room for more bytes.
    ///
    /// - Throws: `leaseLost`; `limitExceeded` where there is less room than it needs.
    public func reserve(_ asked: ReserveUpload, at now: Timestamp) throws -> UploadReservation {
        UploadReservation(byteCount: try takeRoom(asked, for: try held(asked.attempt, at: now)))
    }

    /// Takes room for one more part of an upload, behind those that it has been given room for.
    ///
    /// - Throws: `limitExceeded` where there is none.
    func extend(
        _ attempt: String,
        of owner: String?,
        by part: ExtendSession,
        to end: Int64,
        at now: Timestamp
    ) throws {
        try UsageTable(connection).requireRoom(forMore: part.byteCount, of: owner, part.limits)
        _ = try reserve(ReserveUpload(attempt: attempt, needed: end, wanted: end), at: now)
        // Counted also where no quota asked for it, as what was declared at the beginning is.
        let reserved = min(end, UsageTable.largestSize)
        try connection.execute(
            "UPDATE uploads SET reserved = ? WHERE attempt = ? AND reserved < ?",
            [.integer(reserved), .text(attempt), .integer(reserved)]
        )
    }

    /// - Returns: how many bytes the upload may have in all: what it wants, where no quota bounds it.
    private func takeRoom(_ asked: ReserveUpload, for held: Held) throws -> Int64 {
        guard let quota = held.storageQuota else { return max(asked.needed, asked.wanted) }
        guard asked.needed > held.reserved else { return held.reserved }
        guard let owner = try ImageTable(connection).image(held.image).owner else {
            return max(asked.needed, asked.wanted)
        }
        let byteCount = try UsageTable(connection).room(for: asked, beside: held.reserved, of: owner, within: quota)
        try connection.execute(
            "UPDATE uploads SET reserved = ? WHERE attempt = ?",
            [.integer(byteCount), .text(asked.attempt)]
        )
        return byteCount
    }

    private func activate(
        _ id: ImageID,
        from status: ImageStatus,
        _ upload: FinishUpload,
        at now: Timestamp
    ) throws -> Bool {
        try connection.execute(
            """
            UPDATE images SET status = 'active', size = ?, virtual_size = ?, checksum = ?, os_hash_algo = ?,
                os_hash_value = ?, updated_at = ?, revision = revision + 1
            WHERE id = ? AND status = ? AND deleted_at IS NULL\(upload.diskFormat == nil ? "" : " AND disk_format = ?")
            """,
            [
                .integer(upload.size), SQLValue(upload.virtualSize), .text(upload.checksum),
                .text(upload.hashAlgorithm), .text(upload.hashValue), .integer(now.microseconds), .text(id.text),
                .text(status.rawValue),
            ] + (upload.diskFormat.map { [.text($0)] } ?? [])
        ) == 1
    }

    static let leaseLost = RegistryError(
        .leaseLost,
        "The image may have been deleted during the upload, cleaning up the chunks uploaded."
    )

    /// An attempt that holds its lease.
    struct Held {
        var image: ImageID
        /// In bytes.
        var reserved: Int64
        /// What its project may have; `nil` for any number of bytes.
        var storageQuota: Int64?
    }

    /// - Throws: `leaseLost` unless the attempt holds its lease.
    func held(_ attempt: String, at now: Timestamp) throws -> Held {
        let held = try connection.first(
            "SELECT image_id, reserved, storage_quota FROM uploads WHERE attempt = ? AND expires_at > ?",
            [.text(attempt), .integer(now.microseconds)]
        ) { row in
            ImageID(row.text(0)).map {
                Held(image: $0, reserved: row.integer(1), storageQuota: row.optionalInteger(2))
            }
        }
        guard let held = held ?? nil else { throw Self.leaseLost }
        return held
    }

    public func abort(_ upload: AbortUpload, at now: Timestamp) throws -> AbortedUpload {
        if try LocationTable(connection).isFinished(attempt: upload.attempt) { return AbortedUpload(isFinished: true) }
        if upload.keepsLocation { try LocationTable(connection).keepRefused(attempt: upload.attempt) }
        try end(attempt: upload.attempt, isDiscarded: upload.isDiscarded, at: now)
        return AbortedUpload(isFinished: false)
    }

    public func hasExpired(at now: Timestamp) throws -> Bool {
        try !connection.query(
            "SELECT 1 FROM uploads WHERE expires_at <= ? LIMIT 1",
            [.integer(now.microseconds)],
            { $0.integer(0) }
        ).isEmpty
    }

    /// Ends the attempts whose lease has passed on. Safe to run anywhere, any number of times.
    /// - Returns: how many there were.
    public func reap(at now: Timestamp, limit: Int64 = 100) throws -> Int {
        let attempts = try connection.query(
            "SELECT attempt FROM uploads WHERE expires_at <= ? ORDER BY expires_at LIMIT ?",
            [.integer(now.microseconds), .integer(limit)],
            { $0.text(0) }
        )
        for attempt in attempts { try end(attempt: attempt, isDiscarded: false, at: now) }
        return attempts.count
    }

    func end(attempt: String, isDiscarded: Bool, at now: Timestamp) throws {
        let images = try connection.query(
            "SELECT image_id FROM uploads WHERE attempt = ?",
            [.text(attempt)],
            { $0.text(0) }
        )
        if let text = images.first, let id = ImageID(text) {
            for status in [ImageStatus.saving, .uploading, .importing] {
                _ = try ImageTable(connection).move(
                    id,
                    from: status,
                    to: .queued,
                    at: now,
                    also: ", size = NULL, virtual_size = NULL"
                )
            }
            try connection.execute("DELETE FROM uploads WHERE attempt = ?", [.text(attempt)])
            try UploadSessionTable(connection).end(attempt: attempt)
        }
        try LocationTable(connection).drop(attempt: attempt, isDiscarded: isDiscarded)
    }
}

extension BeginUpload {
    /// The store's name is not the store's own to say: it is the one that the location is recorded for.
    fileprivate var locationMetadata: JSONObject {
        var metadata = metadata
        metadata["store"] = store.map { .string($0) }
        return metadata
    }
}

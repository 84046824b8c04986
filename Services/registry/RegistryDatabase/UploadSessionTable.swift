public import ImageModel
public import RegistryContract
internal import WireJSON

/// Uploads that come in parts. Each has its row in `uploads` until it is finished; without that row it is over.
public struct UploadSessionTable {
    /// The most parts that one image's data may come in.
    public static let maximumPartCount = 1_000

    let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    public func begin(
        _ session: BeginSession,
        as caller: Caller,
        lease: Duration,
        claimedUntil: Timestamp,
        at now: Timestamp
    ) throws -> UploadClaim {
        let upload = session.upload
        let claim = try UploadTable(connection)
            .begin(upload, as: caller, lease: lease, claimedUntil: claimedUntil, at: now)
        guard claim.toSettle.isEmpty else { return claim }
        var digests: JSONObject = [:]
        for (name, value) in session.terms.digests.sorted(by: { $0.key < $1.key }) { digests[name] = .string(value) }
        try connection.execute(
            """
            INSERT INTO upload_sessions (attempt, image_id, node, store, url, parallel, metadata, digests, parts,
                received, finished, expires_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, ?)
            """,
            [
                .text(upload.attempt), .text(upload.image.text), .text(upload.holder.node), SQLValue(upload.store),
                .text(upload.url), SQLValue(session.terms.isParallel), SQLValue(session.terms.metadata),
                .text(JSONValue.object(digests).text), .text(RangeList.text([0..<session.byteCount])),
                .integer(now.advanced(by: lease).microseconds),
            ]
        )
        return claim
    }

    /// - Throws: `wrongState` where the image has no such session on this node; `limitExceeded` for too many parts or bytes,
    ///   and where a quota has no room for them.
    public func extend(
        _ part: ExtendSession,
        as caller: Caller,
        lease: Duration,
        at now: Timestamp
    ) throws -> UploadSessionRecord {
        let images = ImageTable(connection)
        let image = try images.image(part.image, visibleTo: caller)
        try images.requireMutable(image, by: caller)
        let found = try connection.first(
            "SELECT \(Self.columns) FROM upload_sessions s WHERE s.image_id = ? AND s.finished = 0 AND \(Self.isAlive)",
            [.text(part.image.text), .integer(now.microseconds)]
        ) { row in try Self.record(row, image, at: now) }
        guard var session = found, session.terms.isParallel, session.node == part.holder.node else {
            throw RegistryError(
                .wrongState,
                "Image status transition from \(image.status.rawValue) to saving is not allowed"
            )
        }
        let (end, isTooLong) = session.byteCount.addingReportingOverflow(part.byteCount)
        guard session.parts.count < Self.maximumPartCount else {
            throw RegistryError(.limitExceeded, "An image has at most \(Self.maximumPartCount) partial uploads")
        }
        guard !isTooLong, end <= part.limit else {
            throw RegistryError(.limitExceeded, "The incoming image is too large")
        }
        // What the first part took room for grows.
        try UploadTable(connection).extend(session.attempt, of: image.owner, by: part, to: end, at: now)
        session.parts.append(session.byteCount..<end)
        try connection.execute(
            "UPDATE upload_sessions SET parts = ? WHERE attempt = ?",
            [.text(RangeList.text(session.parts)), .text(session.attempt)]
        )
        session.lease = try prolong(session.attempt, of: part.holder, lease: lease, at: now)
        return session
    }

    /// - Throws: `notFound` for one that is over, and for a caller who may not change the image.
    public func show(_ session: ShowSession, as caller: Caller, at now: Timestamp) throws -> UploadSessionRecord {
        let image = try ImageTable(connection).image(session.image, visibleTo: caller)
        let found = try connection.first(
            "SELECT \(Self.columns) FROM upload_sessions s WHERE s.attempt = ? AND s.image_id = ? AND \(Self.isAlive)",
            [.text(session.attempt), .text(session.image.text), .integer(now.microseconds)]
        ) { row in try Self.record(row, image, at: now) }
        guard let found, ImageTable.isMutable(image, by: caller) else {
            throw RegistryError(.notFound, "Image \(session.image) has no such upload: it may have ended.")
        }
        return found
    }

    /// Over `s`, with the time as its value.
    private static let isAlive = """
        s.expires_at > ? AND (s.finished = 1 OR EXISTS (SELECT 1 FROM uploads u WHERE u.attempt = s.attempt))
        """

    private static let columns = """
        s.attempt, s.node, s.store, s.url, s.parallel, s.metadata, s.digests, s.parts, s.received, s.finished,
        s.expires_at
        """

    private static func record(_ row: any SQLRow, _ image: Image, at now: Timestamp) throws -> UploadSessionRecord {
        guard let parts = RangeList.ranges(row.text(7)), let received = RangeList.ranges(row.text(8)),
            let digests = try JSONValue(parsing: row.text(6).utf8).objectValue
        else { throw DatabaseError(.corrupt, "an upload session's row cannot be read") }
        let expiresAt = Timestamp(microseconds: row.integer(10))
        return UploadSessionRecord(
            image: image,
            attempt: row.text(0),
            node: row.text(1),
            store: row.optionalText(2),
            url: row.text(3),
            terms: UploadSessionTerms(
                isParallel: row.bool(4),
                metadata: row.optionalText(5),
                digests: Dictionary(
                    uniqueKeysWithValues: digests.members.compactMap { name, value in
                        value.stringValue.map { (name, $0) }
                    }
                )
            ),
            parts: parts,
            received: received,
            isFinished: row.bool(9),
            lease: SessionLease(
                leaseSeconds: max(0, (expiresAt.microseconds - now.microseconds) / 1_000_000),
                expiresAt: expiresAt
            )
        )
    }

    /// - Throws: `leaseLost` for one that is over, or another node's.
    public func record(_ session: RecordSession, lease: Duration, at now: Timestamp) throws -> SessionLease {
        let prolonged = try prolong(session.attempt, of: session.holder, lease: lease, at: now)
        try connection.execute(
            "UPDATE upload_sessions SET received = ? WHERE attempt = ?",
            [.text(RangeList.text(session.received)), .text(session.attempt)]
        )
        return prolonged
    }

    private func prolong(
        _ attempt: String,
        of holder: Holder,
        lease: Duration,
        at now: Timestamp
    ) throws -> SessionLease {
        let expiresAt = now.advanced(by: lease)
        let held = try connection.execute(
            "UPDATE uploads SET expires_at = ? WHERE attempt = ? AND node = ? AND expires_at > ?",
            [
                .integer(expiresAt.microseconds), .text(attempt), .text(holder.node), .integer(now.microseconds),
            ]
        )
        let recorded = try connection.execute(
            "UPDATE upload_sessions SET expires_at = ? WHERE attempt = ? AND finished = 0",
            [.integer(expiresAt.microseconds), .text(attempt)]
        )
        guard held == 1, recorded == 1 else { throw UploadTable.leaseLost }
        return SessionLease(leaseSeconds: lease.components.seconds, expiresAt: expiresAt)
    }

    // MARK: Ends

    /// The bytes of an upload are recorded: whoever asks for its session is told that all of it came.
    func finish(attempt: String) throws {
        try connection.execute("UPDATE upload_sessions SET finished = 1 WHERE attempt = ?", [.text(attempt)])
    }

    func end(attempt: String) throws {
        try connection.execute("DELETE FROM upload_sessions WHERE attempt = ?", [.text(attempt)])
    }

    func end(ofImage id: ImageID) throws {
        try connection.execute("DELETE FROM upload_sessions WHERE image_id = ?", [.text(id.text)])
    }

    public func hasFinishedLongAgo(at now: Timestamp) throws -> Bool {
        try connection.first(
            "SELECT 1 FROM upload_sessions WHERE expires_at <= ? AND finished = 1 LIMIT 1",
            [.integer(now.microseconds)]
        ) { _ in true } ?? false
    }

    /// Forgets finished sessions that nobody asks for any more; those under way end with their uploads.
    public func forgetFinished(at now: Timestamp) throws {
        try connection.execute(
            "DELETE FROM upload_sessions WHERE expires_at <= ? AND finished = 1",
            [.integer(now.microseconds)]
        )
    }
}

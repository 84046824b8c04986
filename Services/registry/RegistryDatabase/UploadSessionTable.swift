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
        try connection.execute(
            """
            INSERT INTO upload_sessions (attempt, image_id, node, store, url, parallel, metadata, digests, parts,
                received, closed, finished, expires_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, 0, ?)
            """,
            [
                .text(upload.attempt), .text(upload.image.text), .text(upload.holder.node), SQLValue(upload.store),
                .text(upload.url), SQLValue(session.terms.isParallel), SQLValue(session.terms.metadata),
                .text(Self.text(of: session.terms.digests)), .text(RangeList.text([0..<session.byteCount])),
                .integer(now.advanced(by: lease).microseconds),
            ]
        )
        return claim
    }

    private static func text(of digests: [String: String]) -> String {
        var object: JSONObject = [:]
        for (name, value) in digests.sorted(by: { $0.key < $1.key }) { object[name] = .string(value) }
        return JSONValue.object(object).text
    }

    private static func digests(_ text: String) throws -> [String: String] {
        guard let object = try JSONValue(parsing: text.utf8).objectValue else { throw unreadable }
        return Dictionary(
            uniqueKeysWithValues: object.members.compactMap { name, value in value.stringValue.map { (name, $0) } }
        )
    }

    private static let unreadable = DatabaseError(.corrupt, "an upload session's row cannot be read")

    /// - Throws: `wrongState` where the image has no such session on this node, or it was closed; `limitExceeded` for too many
    ///   parts or bytes, and where a quota has no room for them; `invalid` where another digest was declared before.
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
            """
            SELECT \(Self.columns) FROM upload_sessions s
            WHERE s.image_id = ? AND s.closed = 0 AND s.finished = 0 AND \(Self.isAlive)
            """,
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
        try declare(part.digests, for: session.attempt)
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
        guard let parts = RangeList.ranges(row.text(7)), let received = RangeList.ranges(row.text(8)) else {
            throw Self.unreadable
        }
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
                digests: try digests(row.text(6))
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

    /// - Throws: `leaseLost` for one that is over, or another node's; `wrongState` where it cannot be closed; `invalid`
    ///   where another digest was declared before.
    public func record(_ session: RecordSession, lease: Duration, at now: Timestamp) throws -> SessionLease {
        let prolonged = try prolong(session.attempt, of: session.holder, lease: lease, at: now)
        try connection.execute(
            "UPDATE upload_sessions SET received = ? WHERE attempt = ?",
            [.text(RangeList.text(session.received)), .text(session.attempt)]
        )
        try declare(session.digests, for: session.attempt)
        if let byteCount = session.closing { try close(session, byteCount) }
        return prolonged
    }

    /// Adds to what is expected of the data.
    private func declare(_ digests: [String: String], for attempt: String) throws {
        guard !digests.isEmpty else { return }
        let before = try connection.first(
            "SELECT digests FROM upload_sessions WHERE attempt = ?",
            [.text(attempt)]
        ) { row in try Self.digests(row.text(0)) }
        let all = try (before ?? [:]).merging(digests) { one, other in
            guard one == other else {
                throw RegistryError(.invalid, "Another digest of the data was declared before, by the same algorithm.")
            }
            return one
        }
        try connection.execute(
            "UPDATE upload_sessions SET digests = ? WHERE attempt = ?",
            [.text(Self.text(of: all)), .text(attempt)]
        )
    }

    /// From here on the session has the parts that it has, all of whose bytes came. That is not taken back: data of this
    /// length may be published at any time, and be recorded later.
    private func close(_ session: RecordSession, _ byteCount: Int64) throws {
        guard session.received == [0..<byteCount], try parts(session.attempt)?.byteCount == byteCount else {
            throw Self.isLonger
        }
        try connection.execute("UPDATE upload_sessions SET closed = 1 WHERE attempt = ?", [.text(session.attempt)])
    }

    private static let isLonger = RegistryError(
        .wrongState,
        "The image has another partial upload by now: all of them must be complete, and be named."
    )

    /// The length of all parts together, and whether that is all that there will ever be; `nil` for what is no session.
    private func parts(_ attempt: String) throws -> (byteCount: Int64, areAll: Bool)? {
        let found = try connection.first(
            "SELECT parts, parallel, closed FROM upload_sessions WHERE attempt = ?",
            [.text(attempt)]
        ) { row in (parts: RangeList.ranges(row.text(0)), areAll: !row.bool(1) || row.bool(2)) }
        guard let found else { return nil }
        guard let end = found.parts?.last?.upperBound else {
            throw Self.unreadable
        }
        return (end, found.areAll)
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
    ///
    /// - Parameter digests: What they were held against.
    /// - Throws: `wrongState` where a session has other parts than were published, or may still get some.
    func finish(attempt: String, byteCount: Int64, digests: [String: String]) throws {
        // Most uploads are of one request.
        guard let parts = try parts(attempt) else { return }
        guard parts.areAll, parts.byteCount == byteCount else { throw Self.isLonger }
        try connection.execute(
            "UPDATE upload_sessions SET finished = 1, digests = ? WHERE attempt = ?",
            [.text(Self.text(of: digests)), .text(attempt)]
        )
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

import ImageModel
import RegistryContract
import RegistryDatabase
import Testing
import WireJSON

extension DatabaseUnderTest {
    /// Makes an empty database with every migration applied.
    func withTables(_ body: (RegistryTables) async throws -> Void) async throws {
        try await withDatabase { database in
            try await MigrationRunner(Migration.all).sync(database)
            try await body(RegistryTables(database: database))
        }
    }
}

/// The registry's tables as the tests use them: each call is a transaction of its own, and what most tests do not care
/// about is filled in.
struct RegistryTables: Sendable {
    let database: any Database

    /// A statement that stands in for an operation that the tables do not have.
    @discardableResult
    func execute(_ sql: String, _ values: [SQLValue] = []) async throws -> Int {
        try await database.write { try $0.execute(sql, values) }
    }

    func count(_ sql: String, _ values: [SQLValue] = []) async throws -> Int64 {
        try await database.read { try $0.first("SELECT count(*) FROM \(sql)", values) { $0.integer(0) } ?? -1 }
    }

    // MARK: Images

    @discardableResult
    func create(_ image: Image, within limits: UsageLimits = .none, at now: Timestamp = .start) async throws -> Image {
        try await database.write { try ImageTable($0).create(image, within: limits, at: now) }
    }

    func show(_ id: ImageID, as caller: Caller = .admin) async throws -> Image {
        try await database.read { connection in
            let table = ImageTable(connection)
            var text = JSONWriter()
            let image = try table.image(id, visibleTo: caller)
            try table.write(id, visibleTo: caller, to: &text)
            #expect(try Image(parsing: text.bytes) == image, "a record, and the text of it")
            return image
        }
    }

    func list(_ query: ImageListQuery, as caller: Caller = .admin) async throws -> [Image] {
        try await database.read { connection in
            let table = ImageTable(connection)
            var text = JSONWriter()
            let images = try table.list(query, visibleTo: caller)
            try text.object { text in
                text.name("images")
                try text.array { try table.write(query, visibleTo: caller, to: &$0) }
            }
            #expect(try ImagePage(parsing: text.bytes).images == images, "records, and the text of them")
            return images
        }
    }

    @discardableResult
    func update(_ image: Image, as caller: Caller = .admin, at now: Timestamp = .start) async throws -> Image {
        try await database.write { try ImageTable($0).update(image, as: caller, at: now) }
    }

    /// Without a revision, deletes the one that the record is at.
    @discardableResult
    func delete(
        _ id: ImageID,
        revision: Int64? = nil,
        as caller: Caller = .admin,
        holder: Holder = .one,
        claimedUntil: Timestamp = .start + 60,
        scrubAfter: Int64? = nil,
        at now: Timestamp = .start
    ) async throws -> [PendingDeletion] {
        try await database.write { connection in
            let images = ImageTable(connection)
            return try images.delete(
                id,
                revision: try revision ?? images.image(id, visibleTo: caller).revision,
                as: caller,
                holder: holder,
                claimedUntil: claimedUntil,
                scrubAfter: scrubAfter.map { .seconds($0) },
                at: now
            )
        }
    }

    func restore(_ id: ImageID, as caller: Caller = .admin, at now: Timestamp = .start) async throws {
        try await database.write { try ImageTable($0).restore(id, as: caller, at: now) }
    }

    func share(_ id: ImageID, with member: String, _ status: String) async throws {
        try await execute(
            """
            INSERT INTO image_members (image_id, member, status, created_at, updated_at) VALUES (?, ?, ?, 0, 0)
            ON CONFLICT (image_id, member) DO UPDATE SET status = excluded.status
            """,
            [.text(id.text), .text(member), .text(status)]
        )
    }

    // MARK: Members

    func members(of id: ImageID, as caller: Caller = .admin) async throws -> [ImageMember] {
        try await database.read { try MemberTable($0).list(of: id, visibleTo: caller).members }
    }

    func member(_ member: String, of id: ImageID, as caller: Caller = .admin) async throws -> ImageMember? {
        try await database.read { try MemberTable($0).show(member, of: id, visibleTo: caller).member }
    }

    /// The revision of a new image, unless another one is named.
    @discardableResult
    func add(
        _ member: String,
        to id: ImageID,
        revision: Int64 = 1,
        quota: Int64 = 128,
        as caller: Caller = .admin,
        at now: Timestamp = .start
    ) async throws -> ImageMember {
        let addition = AddMember(Membership(image: id, revision: revision, member: member), quota: quota)
        return try await database.write { try MemberTable($0).add(addition, as: caller, at: now) }
    }

    @discardableResult
    func answer(
        _ status: MemberStatus,
        as member: String,
        of id: ImageID,
        revision: Int64 = 1,
        by caller: Caller = .admin,
        at now: Timestamp = .start
    ) async throws -> ImageMember {
        let change = UpdateMember(Membership(image: id, revision: revision, member: member), status: status)
        return try await database.write { try MemberTable($0).update(change, as: caller, at: now) }
    }

    func remove(_ member: String, from id: ImageID, revision: Int64 = 1, as caller: Caller = .admin) async throws {
        let removal = RemoveMember(Membership(image: id, revision: revision, member: member))
        try await database.write { try MemberTable($0).remove(removal, as: caller) }
    }

    // MARK: Uploads

    /// Begins an attempt at the place where the image's data belongs; the lease lasts 60 seconds.
    @discardableResult
    func begin(
        _ id: ImageID,
        attempt: String,
        holder: Holder = .one,
        store: String? = nil,
        size: Int64? = nil,
        within limits: UsageLimits = .none,
        as caller: Caller = .admin,
        at now: Timestamp = .start
    ) async throws -> UploadClaim {
        let upload = BeginUpload(
            image: id,
            attempt: attempt,
            holder: holder,
            store: store,
            url: "file:///data/\(id)",
            size: size,
            limits: limits
        )
        return try await database.write { connection in
            try UploadTable(connection)
                .begin(upload, as: caller, lease: .seconds(60), claimedUntil: now + 60, at: now)
        }
    }

    /// - Returns: how many bytes the upload may have in all.
    func reserve(
        _ attempt: String,
        needed: Int64,
        wanted: Int64? = nil,
        at now: Timestamp = .start
    ) async throws -> Int64 {
        let asked = ReserveUpload(attempt: attempt, needed: needed, wanted: wanted ?? needed)
        return try await database.write { try UploadTable($0).reserve(asked, at: now).byteCount }
    }

    func usage(of project: String) async throws -> ProjectUsage {
        try await database.read { try UsageTable($0).usage(of: project) }
    }

    func renew(_ attempts: [String], holder: Holder = .one, at now: Timestamp) async throws -> [String] {
        try await database.write { connection in
            try UploadTable(connection).renew(attempts, holder: holder, lease: .seconds(60), at: now)
        }
    }

    @discardableResult
    func finish(
        _ attempt: String,
        size: Int64 = 5,
        virtualSize: Int64? = nil,
        diskFormat: String? = nil,
        digests: [String: String] = [:],
        at now: Timestamp = .start
    ) async throws -> Image {
        let upload = FinishUpload(
            attempt: attempt,
            size: size,
            checksum: "c-\(attempt)",
            hashAlgorithm: "sha512",
            hashValue: "h-\(attempt)",
            identity: "inode of \(attempt)",
            virtualSize: virtualSize,
            diskFormat: diskFormat,
            digests: digests
        )
        return try await database.write { try UploadTable($0).finish(upload, at: now) }
    }

    /// - Returns: whether the attempt had been finished.
    @discardableResult
    func abort(
        _ attempt: String,
        isDiscarded: Bool = false,
        keepsLocation: Bool = false,
        at now: Timestamp = .start
    ) async throws -> Bool {
        let upload = AbortUpload(attempt: attempt, isDiscarded: isDiscarded, keepsLocation: keepsLocation)
        return try await database.write { try UploadTable($0).abort(upload, at: now).isFinished }
    }

    func processes(besides holder: Holder) async throws -> [String] {
        try await database.read { try ProcessTable($0).processes(besides: holder) }
    }

    func release(_ holder: Holder, at now: Timestamp = .start) async throws {
        try await database.write { try ProcessTable($0).release(holder, at: now) }
    }

    func reap(at now: Timestamp, limit: Int64 = 100) async throws -> Int {
        try await database.write { try UploadTable($0).reap(at: now, limit: limit) }
    }

    /// Begins an attempt at staging on the node of `holder`; the lease lasts 60 seconds.
    @discardableResult
    func beginStaging(
        _ id: ImageID,
        attempt: String,
        holder: Holder = .one,
        size: Int64? = nil,
        within limits: UsageLimits = .none,
        as caller: Caller = .admin,
        at now: Timestamp = .start
    ) async throws -> UploadClaim {
        let staging = BeginStaging(
            image: id,
            attempt: attempt,
            holder: holder,
            store: "os_glance_staging_store@\(holder.node)",
            url: "file:///staging/\(id)",
            size: size,
            limits: limits
        )
        return try await database.write { connection in
            try StagingTable(connection)
                .begin(staging, as: caller, lease: .seconds(60), claimedUntil: now + 60, at: now)
        }
    }

    @discardableResult
    func finishStaging(
        _ attempt: String,
        size: Int64 = 5,
        host: String? = nil,
        at now: Timestamp = .start
    ) async throws -> Image {
        let staging = FinishStaging(attempt: attempt, size: size, identity: "inode of \(attempt)", host: host)
        return try await database.write { try StagingTable($0).finish(staging, at: now) }
    }

    // MARK: Upload sessions

    /// Begins a session at the place where the image's data belongs; it lives for an hour.
    @discardableResult
    func beginSession(
        _ id: ImageID,
        attempt: String,
        byteCount: Int64 = 10,
        isParallel: Bool = false,
        metadata: String? = nil,
        digests: [String: String] = [:],
        within limits: UsageLimits = .none,
        holder: Holder = .one,
        as caller: Caller = .admin,
        at now: Timestamp = .start
    ) async throws -> UploadClaim {
        let session = BeginSession(
            upload: BeginUpload(
                image: id,
                attempt: attempt,
                holder: holder,
                store: nil,
                url: "file:///data/\(id)",
                size: byteCount,
                limits: limits
            ),
            terms: UploadSessionTerms(isParallel: isParallel, metadata: metadata, digests: digests),
            byteCount: byteCount
        )
        return try await database.write { connection in
            try UploadSessionTable(connection)
                .begin(session, as: caller, lease: .seconds(3600), claimedUntil: now + 60, at: now)
        }
    }

    @discardableResult
    func extendSession(
        _ id: ImageID,
        byteCount: Int64,
        limit: Int64 = .max,
        digests: [String: String] = [:],
        holder: Holder = .one,
        as caller: Caller = .admin,
        at now: Timestamp = .start
    ) async throws -> UploadSessionRecord {
        let part = ExtendSession(image: id, holder: holder, byteCount: byteCount, limit: limit, digests: digests)
        return try await database.write { connection in
            try UploadSessionTable(connection).extend(part, as: caller, lease: .seconds(3600), at: now)
        }
    }

    @discardableResult
    func session(
        _ attempt: String,
        of id: ImageID,
        as caller: Caller = .admin,
        at now: Timestamp = .start
    ) async throws -> UploadSessionRecord {
        try await database.read { connection in
            try UploadSessionTable(connection).show(ShowSession(image: id, attempt: attempt), as: caller, at: now)
        }
    }

    @discardableResult
    func record(
        _ received: [Range<Int64>],
        of attempt: String,
        closing byteCount: Int64? = nil,
        digests: [String: String] = [:],
        holder: Holder = .one,
        at now: Timestamp = .start
    ) async throws -> SessionLease {
        let session = RecordSession(
            attempt: attempt,
            holder: holder,
            received: received,
            closing: byteCount,
            digests: digests
        )
        return try await database.write { connection in
            try UploadSessionTable(connection).record(session, lease: .seconds(3600), at: now)
        }
    }

    /// An image with data.
    @discardableResult
    func createActive(_ image: Image, at now: Timestamp = .start) async throws -> Image {
        try await create(image, at: now)
        try await begin(image.id, attempt: "attempt \(image.id)", at: now)
        return try await finish("attempt \(image.id)", at: now)
    }

    // MARK: Deletions

    func claim(
        _ stores: [String] = [""],
        holder: Holder = .two,
        limit: Int64 = 100,
        until: Timestamp? = nil,
        at now: Timestamp
    ) async throws -> [PendingDeletion] {
        try await database.write { connection in
            try LocationTable(connection)
                .claimDeletions(
                    DeletionClaim(holder: holder, stores: stores, limit: limit),
                    until: until ?? now + 60,
                    at: now
                )
        }
    }

    func finishDeletions(_ deletions: [PendingDeletion]) async throws {
        let ids = deletions.map(\.id)
        try await database.write { try LocationTable($0).finishDeletions(ids) }
    }

    func postponeDeletions(_ deletions: [PendingDeletion], at now: Timestamp) async throws {
        let ids = deletions.map(\.id)
        try await database.write { try LocationTable($0).postponeDeletions(ids, at: now) }
    }

    func withdrawDeletions(_ deletions: [PendingDeletion], at now: Timestamp = .start) async throws {
        let ids = deletions.map(\.id)
        try await database.write { try LocationTable($0).withdrawDeletions(ids, at: now) }
    }

    func states(of attempts: [String]) async throws -> AttemptStates {
        try await database.read { try LocationTable($0).states(of: attempts) }
    }
}

/// The code with which the registry refuses; `nil` when it does not.
func refusal<Answer>(
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Answer
) async -> RegistryError.Code? {
    do {
        _ = try await body()
        return nil
    } catch let error as RegistryError {
        return error.code
    } catch {
        Issue.record("unexpected: \(error)", sourceLocation: sourceLocation)
        return nil
    }
}

extension ImageID {
    /// Ids in the order of their numbers.
    static func numbered(_ number: Int) -> ImageID {
        let digits = String(number, radix: 16)
        let text = "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
        guard let id = ImageID(text) else { preconditionFailure("\(text) is no image id") }
        return id
    }
}

extension Timestamp {
    /// When the tests begin.
    static let start = Timestamp(seconds: 1_700_000_000)

    static func + (time: Timestamp, seconds: Int64) -> Timestamp { time.advanced(by: .seconds(seconds)) }
}

extension Caller {
    static let admin = Caller(project: "admin", roles: ["admin"], isAdmin: true)

    static func of(_ project: String?) -> Caller { Caller(project: project, roles: ["member"]) }
}

extension Holder {
    static let one = Holder(node: "api-1", process: "1a")
    static let two = Holder(node: "api-2", process: "2a")
}

public import ImageModel
public import RegistryContract
internal import WireJSON

/// Images with what belongs to them: one statement reads a whole record, properties, tags and locations included.
public struct ImageTable {
    let connection: any SQLConnection
    /// How many images are few: so many are looked up and sorted for one page.
    let rareCount: Int

    public init(_ connection: any SQLConnection) { self.init(connection, rareCount: 4_000) }

    /// With another measure of what is rare.
    package init(_ connection: any SQLConnection, rareCount: Int) {
        self.connection = connection
        self.rareCount = rareCount
    }

    // MARK: Reading

    /// The columns of a whole record, in the order in which `image(from:)` takes them; `i` is the image.
    static func columns(_ dialect: SQLDialect) -> String {
        """
        i.id, i.name, i.status, i.visibility, i.protected, i.os_hidden, i.owner, i.container_format, i.disk_format,
        i.min_disk, i.min_ram, i.size, i.virtual_size, i.checksum, i.os_hash_algo, i.os_hash_value,
        i.created_at, i.updated_at, i.revision,
        (SELECT \(dialect.jsonObjectAggregate)(p.name, p.value) FROM image_properties p WHERE p.image_id = i.id),
        (SELECT \(dialect.jsonArrayAggregate)(t.value) FROM
            (SELECT value FROM image_tags WHERE image_id = i.id ORDER BY position) t),
        (SELECT \(dialect.jsonArrayAggregate)(\(dialect.jsonObject)('url', l.url, 'metadata', l.metadata, 'damage', l.damage)) FROM
            (SELECT url, metadata, damage FROM image_locations WHERE image_id = i.id AND state = 'live' ORDER BY id) l)
        """
    }

    static func image(from row: any SQLRow) throws -> Image {
        guard let id = ImageID(row.text(0)), let status = ImageStatus(rawValue: row.text(2)),
            let visibility = Visibility(rawValue: row.text(3))
        else { throw DatabaseError(.corrupt, "an image row holds words that are none of ours") }
        var image = Image(id: id)
        image.name = row.optionalText(1)
        image.status = status
        image.visibility = visibility
        image.protected = row.bool(4)
        image.hidden = row.bool(5)
        image.owner = row.optionalText(6)
        image.containerFormat = row.optionalText(7)
        image.diskFormat = row.optionalText(8)
        image.minDisk = row.integer(9)
        image.minRAM = row.integer(10)
        image.size = row.optionalInteger(11)
        image.virtualSize = row.optionalInteger(12)
        image.checksum = row.optionalText(13)
        image.hashAlgorithm = row.optionalText(14)
        image.hashValue = row.optionalText(15)
        image.createdAt = Timestamp(microseconds: row.integer(16))
        image.updatedAt = Timestamp(microseconds: row.integer(17))
        image.revision = row.integer(18)
        for (name, value) in try json(row, 19)?.objectValue?.members ?? [] {
            image.properties[name] = .some(value.stringValue)
        }
        image.tags = try json(row, 20)?.arrayValue?.compactMap(\.stringValue) ?? []
        (image.locations, image.damaged) = try locations(from: row)
        return image
    }

    /// The locations of a whole record, and the URLs of those whose data is spoilt.
    static func locations(from row: any SQLRow) throws -> ([ImageLocation], damaged: Set<String>) {
        var (locations, damaged): ([ImageLocation], Set<String>) = ([], [])
        for element in try json(row, 21)?.arrayValue ?? [] {
            let members = try JSONMembers(element)
            // The metadata is kept as text, and so arrives as a string that holds JSON.
            let metadata = try JSONValue(parsing: try members.string("metadata").utf8)
            let location = ImageLocation(url: try members.string("url"), metadata: metadata.objectValue ?? [:])
            locations.append(location)
            let damage = try members.optionalString("damage").flatMap(VerificationResult.init)
            if damage?.spoilsData == true { damaged.insert(location.url) }
        }
        return (locations, damaged)
    }

    private static func json(_ row: any SQLRow, _ column: Int) throws -> JSONValue? {
        guard let text = row.utf8(column) else { return nil }
        return try JSONValue(parsing: text)
    }

    /// The condition under which a caller may see an image by its id, over `i`, with its values.
    ///
    /// Image API v2, visibility: without an owner, public, community, one's own, or shared with one's project, whatever
    /// the member's status.
    static func visible(to caller: Caller) -> (sql: String, values: [SQLValue]) {
        if caller.isAdmin { return ("i.deleted_at IS NULL", []) }
        guard let project = caller.project else {
            return ("i.deleted_at IS NULL AND (i.owner IS NULL OR i.visibility IN ('public', 'community'))", [])
        }
        return (
            """
            i.deleted_at IS NULL AND (i.owner IS NULL OR i.visibility IN ('public', 'community') OR i.owner = ?
            OR (i.visibility = 'shared' AND EXISTS
                (SELECT 1 FROM image_members m WHERE m.image_id = i.id AND m.member = ?)))
            """,
            [.text(project), .text(project)]
        )
    }

    public func image(_ id: ImageID, visibleTo caller: Caller) throws -> Image {
        try read(id, visibleTo: caller, Self.image(from:))
    }

    func read<Record>(
        _ id: ImageID,
        visibleTo caller: Caller,
        _ record: (any SQLRow) throws -> Record
    ) throws -> Record {
        let condition = Self.visible(to: caller)
        let found = try connection.first(
            "SELECT \(Self.columns(connection.dialect)) FROM images i WHERE i.id = ? AND \(condition.sql)",
            [.text(id.text)] + condition.values,
            record
        )
        guard let found else { throw RegistryError(.notFound, "No image found with ID \(id)") }
        return found
    }

    /// The record as this transaction left it, for the answer to a write.
    func image(_ id: ImageID) throws -> Image {
        let found = try connection.query(
            "SELECT \(Self.columns(connection.dialect)) FROM images i WHERE i.id = ?",
            [.text(id.text)],
            Self.image(from:)
        )
        guard let image = found.first else { throw RegistryError(.notFound, "No image found with ID \(id)") }
        return image
    }

    // MARK: Writing

    /// - Throws: `duplicate` when the id is taken, by a deleted image too; `limitExceeded`.
    public func create(_ image: Image, within limits: UsageLimits = .none, at now: Timestamp) throws -> Image {
        var image = image
        image.createdAt = now
        image.updatedAt = now
        image.revision = 1
        let inserted = try connection.execute(
            """
            INSERT INTO images (id, name, status, visibility, protected, os_hidden, owner, container_format, disk_format,
                min_disk, min_ram, size, virtual_size, checksum, os_hash_algo, os_hash_value, created_at, updated_at, revision)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL, NULL, ?, ?, 1)
            ON CONFLICT (id) DO NOTHING
            """,
            [
                .text(image.id.text), SQLValue(image.name), .text(ImageStatus.queued.rawValue),
                .text(image.visibility.rawValue), SQLValue(image.protected), SQLValue(image.hidden),
                SQLValue(image.owner), SQLValue(image.containerFormat), SQLValue(image.diskFormat),
                .integer(image.minDisk), .integer(image.minRAM), .integer(now.microseconds), .integer(now.microseconds),
            ]
        )
        guard inserted == 1 else {
            throw RegistryError(.duplicate, "Image ID \(image.id) already exists!", field: "id")
        }
        try UsageTable(connection).requireRoom(forImageOf: image.owner, limits)
        try insert(properties: image.properties, of: image)
        try insert(tags: image.tags, of: image)
        image.status = .queued
        image.size = nil
        image.virtualSize = nil
        image.checksum = nil
        image.hashAlgorithm = nil
        image.hashValue = nil
        image.locations = []
        return image
    }

    /// Puts what a client may change as `image` has it, while the record is still at `image.revision`.
    public func update(_ image: Image, as caller: Caller, at now: Timestamp) throws -> Image {
        let stored = try self.image(image.id, visibleTo: caller)
        try requireMutable(stored, by: caller)
        guard stored.revision == image.revision else {
            throw RegistryError(.changedMeanwhile, "The image was changed by somebody else in the meantime")
        }
        // Other moves belong to uploads and deletions, which keep more than the status in step.
        let isClientMove = Set([stored.status, image.status]) == [.active, .deactivated]
        if image.status != stored.status, !isClientMove {
            throw RegistryError(
                .wrongState,
                "Image status transition from \(stored.status.rawValue) to \(image.status.rawValue) is not allowed"
            )
        }
        try connection.execute(
            """
            UPDATE images SET name = ?, status = ?, visibility = ?, protected = ?, os_hidden = ?, owner = ?,
                container_format = ?, disk_format = ?, min_disk = ?, min_ram = ?, updated_at = ?, revision = revision + 1
            WHERE id = ?
            """,
            [
                SQLValue(image.name), .text(image.status.rawValue), .text(image.visibility.rawValue),
                SQLValue(image.protected), SQLValue(image.hidden), SQLValue(image.owner),
                SQLValue(image.containerFormat), SQLValue(image.diskFormat), .integer(image.minDisk),
                .integer(image.minRAM), .integer(now.microseconds), .text(image.id.text),
            ]
        )
        try replace(properties: image.properties, of: stored)
        if !image.tags.elementsEqual(stored.tags, by: { $0.utf8.elementsEqual($1.utf8) }) {
            try connection.execute("DELETE FROM image_tags WHERE image_id = ?", [.text(image.id.text)])
            var tagged = image
            tagged.createdAt = stored.createdAt
            try insert(tags: image.tags, of: tagged)
        }
        return try self.image(image.id)
    }

    /// Compares byte by byte, as the database does: Swift takes two spellings of "é" for one.
    private func replace(properties new: [String: String?], of image: Image) throws {
        let old = Dictionary(
            uniqueKeysWithValues: image.properties.map { (Array($0.key.utf8), $0.value.map { Array($0.utf8) }) }
        )
        let names = Set(new.keys.map { Array($0.utf8) })
        for name in old.keys where !names.contains(name) {
            try connection.execute(
                "DELETE FROM image_properties WHERE image_id = ? AND name = ?",
                [.text(image.id.text), .text(String(decoding: name, as: UTF8.self))]
            )
        }
        let changed = new.filter { old[Array($0.key.utf8)] != .some($0.value.map { Array($0.utf8) }) }
        try insert(properties: changed, of: image)
    }

    func insert(properties: [String: String?], of image: Image) throws {
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
            try connection.execute(
                """
                INSERT INTO image_properties (image_id, name, value, value_prefix, image_created_at)
                VALUES (?, ?, ?, \(SQLCondition.prefixPlace), ?)
                ON CONFLICT (image_id, name) DO UPDATE SET value = excluded.value, value_prefix = excluded.value_prefix
                """,
                [
                    .text(image.id.text), .text(name), SQLValue(value), SQLValue(value),
                    .integer(image.createdAt.microseconds),
                ]
            )
        }
    }

    /// - Parameter image: as this transaction has written it.
    private func insert(tags: [String], of image: Image) throws {
        for (position, tag) in tags.enumerated() {
            try connection.execute(
                """
                INSERT INTO image_tags (image_id, value, position, image_created_at, visibility, owner)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (image_id, value) DO NOTHING
                """,
                [
                    .text(image.id.text), .text(tag), .integer(Int64(position)),
                    .integer(image.createdAt.microseconds), .text(image.visibility.rawValue), SQLValue(image.owner),
                ]
            )
        }
    }

    /// Whatever policy said: only an administrator or the owner's project changes a record.
    func requireMutable(_ image: Image, by caller: Caller) throws {
        guard Self.isMutable(image, by: caller) else {
            throw RegistryError(.forbidden, "You do not own this image")
        }
    }

    static func isMutable(_ image: Image, by caller: Caller) -> Bool {
        caller.isAdmin || (image.owner != nil && image.owner == caller.project)
    }

    /// Moves the status if the image is still in one of `from`; whether it was.
    func move(_ id: ImageID, from: ImageStatus, to: ImageStatus, at now: Timestamp, also set: String = "") throws
        -> Bool
    {
        try connection.execute(
            """
            UPDATE images SET status = ?, updated_at = ?, revision = revision + 1 \(set)
            WHERE id = ? AND status = ? AND deleted_at IS NULL
            """,
            [.text(to.rawValue), .integer(now.microseconds), .text(id.text), .text(from.rawValue)]
        ) == 1
    }

    // MARK: Deleting

    /// Hides the record from everybody and queues its data for deletion, claimed by `holder` until `claimedUntil`.
    ///
    /// - Parameter scrubAfter: How long the data of an active image stays, for a scrubber to remove; `nil` for not at all.
    /// - Throws: `invalid` for an image whose deletion cannot be put off.
    public func delete(
        _ id: ImageID,
        revision: Int64,
        as caller: Caller,
        holder: Holder,
        claimedUntil: Timestamp,
        scrubAfter: Duration? = nil,
        at now: Timestamp
    ) throws -> [PendingDeletion] {
        let stored = try image(id, visibleTo: caller)
        try requireMutable(stored, by: caller)
        guard stored.revision == revision else {
            throw RegistryError(.changedMeanwhile, "The image was changed by somebody else in the meantime")
        }
        let scrubAfter = try Self.delay(scrubAfter, of: stored)
        let status = scrubAfter == nil ? ImageStatus.deleted : .pendingDelete
        guard stored.status.mayBecome(status) else { throw Self.refusal(of: stored, status, .wrongState) }
        try connection.execute(
            """
            UPDATE images SET status = ?, status_before_deletion = status, deleted_at = ?, updated_at = ?,
                revision = revision + 1
            WHERE id = ?
            """,
            [
                .text(status.rawValue), .integer(now.microseconds), .integer(now.microseconds), .text(id.text),
            ]
        )
        // A running upload loses its lease; its node finds out, and what it wrote is queued like the rest.
        try connection.execute("DELETE FROM uploads WHERE image_id = ?", [.text(id.text)])
        try UploadSessionTable(connection).end(ofImage: id)
        let locations = LocationTable(connection)
        if let scrubAfter {
            try locations.scheduleDeletion(ofImage: id, at: now.advanced(by: scrubAfter))
            return []
        }
        let deletions = try locations.queueDeletion(ofImage: id, claimedBy: holder, until: claimedUntil)
        if deletions.isEmpty {
            try giveUp(id)
            try forgetUnlessQueued(id)
        }
        return deletions
    }

    /// Gives back a record whose data could not be deleted: only while all of that data is still queued.
    public func restore(_ id: ImageID, as caller: Caller, at now: Timestamp) throws {
        let restored = try connection.execute(
            """
            UPDATE images SET status = status_before_deletion, status_before_deletion = NULL, deleted_at = NULL,
                updated_at = ?, revision = revision + 1
            WHERE id = ? AND status = 'deleted' AND status_before_deletion IN ('active', 'deactivated')
                AND (owner = ? OR ? = 1)
                AND EXISTS (SELECT 1 FROM image_locations WHERE image_id = images.id AND \(LocationTable.isOfImage))
            """,
            [.integer(now.microseconds), .text(id.text), SQLValue(caller.project), SQLValue(caller.isAdmin)]
        )
        guard restored == 1 else { throw RegistryError(.wrongState, "Image \(id) is deleted and cannot be given back") }
        try LocationTable(connection).revive(ofImage: id)
    }

    /// From here on a deleted record cannot be given back: a part of its data is gone.
    func giveUp(_ id: ImageID) throws {
        try connection.execute(
            "UPDATE images SET status_before_deletion = NULL WHERE id = ? AND deleted_at IS NOT NULL",
            [.text(id.text)]
        )
    }

    /// Removes what hangs on a deleted record once nothing of its data is left; the id stays taken.
    func forgetUnlessQueued(_ id: ImageID) throws {
        let queued = try connection.first(
            """
            SELECT (SELECT count(*) FROM image_locations WHERE image_id = i.id AND state = 'deleting')
            FROM images i WHERE i.id = ? AND i.deleted_at IS NOT NULL
            """,
            [.text(id.text)]
        ) { $0.integer(0) }
        guard queued == 0 else { return }
        for table in ["image_properties", "image_tags", "image_members", "image_locations"] {
            try connection.execute("DELETE FROM \(table) WHERE image_id = ?", [.text(id.text)])
        }
        try giveUp(id)
        try connection.execute(
            "UPDATE images SET status = 'deleted' WHERE id = ? AND status = 'pending_delete'",
            [.text(id.text)]
        )
    }
}

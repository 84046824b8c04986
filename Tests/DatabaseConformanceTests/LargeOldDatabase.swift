import RegistryDatabase

/// A database of the first release with so many rows that its tables are not changed in no time, and what today's schema
/// makes of it. PostgreSQL's alone.
enum LargeOldDatabase {
    static let imageCount: Int64 = 6_000

    /// Images of ten projects, with properties, tags, members and data.
    static func make(_ database: any Database) async throws {
        try await MigrationRunner(Migration.all.filter { $0.number == 1 }).sync(database)
        try await database.write { try $0.script(rows) }
    }

    static func id(of number: Int64) -> String {
        let digits = String(number, radix: 16)
        func padded(to width: Int) -> String { String(repeating: "0", count: width - digits.count) + digits }
        return "\(padded(to: 8))-0000-4000-8000-\(padded(to: 12))"
    }

    /// Nobody but the tests is in anybody's way.
    private static let rows = """
        ALTER TABLE images SET (autovacuum_enabled = false);
        ALTER TABLE image_properties SET (autovacuum_enabled = false);
        ALTER TABLE image_tags SET (autovacuum_enabled = false);
        ALTER TABLE image_members SET (autovacuum_enabled = false);
        ALTER TABLE image_locations SET (autovacuum_enabled = false);
        ALTER TABLE uploads SET (autovacuum_enabled = false);
        CREATE TEMPORARY TABLE numbers ON COMMIT DROP AS
            SELECT n, lpad(to_hex(n), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(n), 12, '0') AS id
            FROM generate_series(1, \(imageCount)) n;
        INSERT INTO images (id, name, status, visibility, protected, os_hidden, owner, container_format, disk_format,
            min_disk, min_ram, size, checksum, os_hash_algo, os_hash_value, created_at, updated_at, revision)
            SELECT id, CASE WHEN n % 7 = 0 THEN NULL ELSE 'image ' || n END, 'active', 'shared', 0, 0,
                'project ' || n % 10, 'bare', 'raw', 0, 0, n, md5(id), 'sha512', md5(id) || md5(id), n, n, 1 FROM numbers;
        INSERT INTO image_properties (image_id, name, value)
            SELECT id, 'os_distro', 'ubuntu' FROM numbers UNION ALL SELECT id, 'number', n || md5(id) FROM numbers;
        INSERT INTO image_tags (image_id, value, position) SELECT id, 'lts', 0 FROM numbers;
        INSERT INTO image_members (image_id, member, status, created_at, updated_at)
            SELECT id, 'guest', 'accepted', n, n FROM numbers WHERE n % 5 = 0;
        INSERT INTO image_locations (image_id, url, metadata, store, state, attempt, unfinished, created_at)
            SELECT id, 'file:///data/' || id, '{}', '', 'live', 'attempt ' || id, 0, n FROM numbers;
        """

    /// Everything that the schema is made of, with its name left out.
    static func description(of database: any Database) async throws -> [String] {
        try await database.read { connection in
            let schema = try connection.first("SELECT current_schema()") { $0.text(0) } ?? ""
            return try connection.query(parts, []) { "\($0.text(0)): \($0.text(1))" }
                .map { $0.replacing("\(schema).", with: "") }
        }
    }

    private static let parts = """
        SELECT 'column' AS kind, c.relname || ' ' || a.attnum || ' ' || a.attname || ' '
            || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' ' || COALESCE(l.collname, '-') || ' '
            || COALESCE(pg_get_expr(d.adbin, d.adrelid), '-') AS what
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            LEFT JOIN pg_collation l ON l.oid = a.attcollation
            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0
        UNION ALL SELECT 'index', pg_get_indexdef(i.indexrelid) || ' ' || i.indisvalid FROM pg_index i
            JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = current_schema()::regnamespace
        UNION ALL SELECT 'constraint', c.conname || ' ' || c.convalidated || ' ' || pg_get_constraintdef(c.oid)
            FROM pg_constraint c WHERE c.connamespace = current_schema()::regnamespace
        UNION ALL SELECT 'trigger', pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::TEXT FROM pg_trigger t
            JOIN pg_class c ON c.oid = t.tgrelid
            WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal
        UNION ALL SELECT 'function', pg_get_functiondef(p.oid) FROM pg_proc p
            WHERE p.pronamespace = current_schema()::regnamespace
        ORDER BY kind, what
        """
}

extension Migration {
    /// Images, what belongs to them, where their data is, and who is moving it.
    ///
    /// Times are microseconds since 1970; booleans are 0 and 1; `revision` grows with every change of an image. Rows of
    /// `images` are kept after deletion, because ids are never given out again; properties, tags and members are not.
    /// Property values have no limit, so their index covers a beginning that fits every database's index rows.
    static let images = Migration(number: 1, name: "images", phase: .expand) { dialect in
        """
        CREATE TABLE images (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT,
            status TEXT NOT NULL,
            visibility TEXT NOT NULL,
            protected INTEGER NOT NULL,
            os_hidden INTEGER NOT NULL,
            owner TEXT,
            container_format TEXT,
            disk_format TEXT,
            min_disk BIGINT NOT NULL,
            min_ram BIGINT NOT NULL,
            size BIGINT,
            virtual_size BIGINT,
            checksum TEXT,
            os_hash_algo TEXT,
            os_hash_value TEXT,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            deleted_at BIGINT,
            status_before_deletion TEXT,
            revision BIGINT NOT NULL
        );
        CREATE INDEX images_by_creation ON images (created_at, id) WHERE deleted_at IS NULL;
        CREATE INDEX images_by_owner ON images (owner, created_at, id) WHERE deleted_at IS NULL;
        CREATE INDEX images_by_visibility ON images (visibility, created_at, id) WHERE deleted_at IS NULL;
        CREATE INDEX images_by_name ON images (name, created_at, id) WHERE deleted_at IS NULL;
        CREATE TABLE image_properties (
            image_id TEXT NOT NULL REFERENCES images (id),
            name TEXT NOT NULL,
            value TEXT,
            PRIMARY KEY (image_id, name)
        )\(dialect.withoutRowID);
        CREATE INDEX image_properties_by_value ON image_properties (name, substr(value, 1, 255), image_id);
        CREATE TABLE image_tags (
            image_id TEXT NOT NULL REFERENCES images (id),
            value TEXT NOT NULL,
            position INTEGER NOT NULL,
            PRIMARY KEY (image_id, value)
        )\(dialect.withoutRowID);
        CREATE INDEX image_tags_by_value ON image_tags (value, image_id);
        CREATE TABLE image_members (
            image_id TEXT NOT NULL REFERENCES images (id),
            member TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            PRIMARY KEY (image_id, member)
        )\(dialect.withoutRowID);
        CREATE INDEX image_members_by_member ON image_members (member, status, image_id);
        CREATE TABLE image_locations (
            id \(dialect.autoIncrementPrimaryKey),
            image_id TEXT NOT NULL REFERENCES images (id),
            url TEXT NOT NULL,
            metadata TEXT NOT NULL,
            store TEXT NOT NULL,
            state TEXT NOT NULL,
            attempt TEXT NOT NULL,
            identity TEXT,
            unfinished INTEGER NOT NULL,
            created_at BIGINT NOT NULL,
            claimed_by TEXT,
            claiming_process TEXT,
            claimed_until BIGINT NOT NULL DEFAULT 0,
            failures INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX image_locations_by_image ON image_locations (image_id, state, id);
        CREATE INDEX image_locations_by_url ON image_locations (url);
        CREATE INDEX image_locations_to_delete ON image_locations (store, claimed_until, id) WHERE state = 'deleting';
        CREATE INDEX image_locations_by_attempt ON image_locations (attempt);
        CREATE TABLE uploads (
            attempt TEXT NOT NULL PRIMARY KEY,
            image_id TEXT NOT NULL REFERENCES images (id),
            node TEXT NOT NULL,
            process TEXT NOT NULL,
            expires_at BIGINT NOT NULL,
            created_at BIGINT NOT NULL
        );
        CREATE INDEX uploads_by_expiry ON uploads (expires_at);
        CREATE INDEX uploads_by_node ON uploads (node);
        CREATE INDEX uploads_by_image ON uploads (image_id);
        CREATE TABLE applied_writes (
            idempotency_key TEXT NOT NULL PRIMARY KEY,
            binding TEXT NOT NULL,
            answer TEXT NOT NULL,
            created_at BIGINT NOT NULL
        );
        CREATE INDEX applied_writes_by_age ON applied_writes (created_at);
        """
    }
}

extension Migration {
    /// Every migration, oldest first. Entries are added at the end and never edited once released.
    public static let all: [Migration] = [
        .images, .imageLists, .tasks, .metadefs, .usage, .uploadSessions, .scrubbing, .droppedLocations, .tagAudiences,
    ]
}

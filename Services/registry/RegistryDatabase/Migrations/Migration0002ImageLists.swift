extension Migration {
    /// What lists of a million images are found by (`docs/decisions/0011-image-lists.md`).
    ///
    /// Tags, properties and members carry their image's time of creation, which never changes, and properties the
    /// beginning of their value, so that one index gives what has a tag or a value in the order of the default list.
    /// Programs that know nothing of these columns may go on writing: triggers fill in what they leave out. A name
    /// that is missing is sorted as the empty one; the database computes that column itself.
    ///
    /// On PostgreSQL no table is written anew, as happens for a column that has to be stored for every row: whoever waited
    /// for that with an older snapshot would find an empty table. Columns come with their triggers, table by table; once all
    /// are there, what is written is complete, and what was there before is filled in part by part.
    static let imageLists = Migration(number: 2, name: "image lists", phase: .expand) { dialect in
        let columns: [MigrationStep] =
            switch dialect.name {
            case .sqlite: [.statements(sqlite(dialect))]
            case .postgresql: postgresql(dialect)
            }
        return columns + fillings + indexes + (dialect.name == .sqlite ? [.statements(sqliteTriggers)] : [])
    }

    private static let fillings: [MigrationStep] =
        [
            .filling(
                .init("image_properties", by: "image_id") { rows in
                    """
                    UPDATE image_properties SET value_prefix = substr(value, 1, 255), image_created_at = \(createdAt)
                    WHERE image_created_at IS NULL AND \(rows)
                    """
                }
            )
        ]
        + ["image_tags", "image_members"].map { table in
            .filling(
                .init(table, by: "image_id") { rows in
                    "UPDATE \(table) SET image_created_at = \(createdAt) WHERE image_created_at IS NULL AND \(rows)"
                }
            )
        }

    private static let createdAt = "(SELECT i.created_at FROM images i WHERE i.id = image_id)"

    private static let indexes: [MigrationStep] = [
        .index(.init("images_by_name", on: "images", "(sort_name, created_at, id) WHERE deleted_at IS NULL")),
        .index(
            .init(
                "images_by_owner_and_name",
                on: "images",
                "(owner, sort_name, created_at, id) WHERE deleted_at IS NULL"
            )
        ),
        .index(
            .init(
                "images_open_by_name",
                on: "images",
                """
                (visibility, sort_name, created_at, id)
                WHERE deleted_at IS NULL AND visibility IN ('public', 'community')
                """
            )
        ),
        .index(
            .init(
                "image_properties_by_value",
                on: "image_properties",
                "(name, value_prefix, image_created_at, image_id)"
            )
        ),
        .index(.init("image_tags_by_value", on: "image_tags", "(value, image_created_at, image_id)")),
        .index(
            .init("image_members_by_member", on: "image_members", "(member, status, image_created_at, image_id)")
        ),
    ]

    // MARK: SQLite

    private static func sqlite(_ dialect: SQLDialect) -> String {
        """
        ALTER TABLE images ADD COLUMN sort_name TEXT \(dialect.byteOrder)
            GENERATED ALWAYS AS (COALESCE(name, '')) VIRTUAL;
        ALTER TABLE image_properties ADD COLUMN value_prefix TEXT \(dialect.byteOrder);
        ALTER TABLE image_properties ADD COLUMN image_created_at BIGINT;
        ALTER TABLE image_tags ADD COLUMN image_created_at BIGINT;
        ALTER TABLE image_members ADD COLUMN image_created_at BIGINT;
        """
    }

    private static let sqliteTriggers = """
        CREATE TRIGGER image_properties_from_before AFTER INSERT ON image_properties
        WHEN NEW.image_created_at IS NULL
        BEGIN
            UPDATE image_properties SET value_prefix = substr(value, 1, 255),
                image_created_at = (SELECT i.created_at FROM images i WHERE i.id = NEW.image_id)
            WHERE image_id = NEW.image_id AND name = NEW.name;
        END;
        CREATE TRIGGER image_properties_changed_from_before AFTER UPDATE OF value ON image_properties
        WHEN NEW.value_prefix IS NOT substr(NEW.value, 1, 255)
        BEGIN
            UPDATE image_properties SET value_prefix = substr(value, 1, 255)
            WHERE image_id = NEW.image_id AND name = NEW.name;
        END;
        CREATE TRIGGER image_tags_from_before AFTER INSERT ON image_tags WHEN NEW.image_created_at IS NULL
        BEGIN
            UPDATE image_tags SET image_created_at = (SELECT i.created_at FROM images i WHERE i.id = NEW.image_id)
            WHERE image_id = NEW.image_id AND value = NEW.value;
        END;
        CREATE TRIGGER image_members_from_before AFTER INSERT ON image_members WHEN NEW.image_created_at IS NULL
        BEGIN
            UPDATE image_members
            SET image_created_at = (SELECT i.created_at FROM images i WHERE i.id = NEW.image_id)
            WHERE image_id = NEW.image_id AND member = NEW.member;
        END;
        """

    // MARK: PostgreSQL

    private static func postgresql(_ dialect: SQLDialect) -> [MigrationStep] {
        let steps = [
            """
            CREATE FUNCTION fill_image_created_at() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                NEW.image_created_at := (SELECT i.created_at FROM images i WHERE i.id = NEW.image_id);
                RETURN NEW;
            END $$;
            CREATE FUNCTION fill_value_prefix() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                NEW.value_prefix := substr(NEW.value, 1, 255);
                RETURN NEW;
            END $$;
            CREATE FUNCTION fill_sort_name() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                NEW.sort_name := COALESCE(NEW.name, '');
                RETURN NEW;
            END $$;
            """,
            """
            ALTER TABLE images ADD COLUMN sort_name TEXT \(dialect.byteOrder);
            CREATE TRIGGER images_sort_name BEFORE INSERT OR UPDATE ON images FOR EACH ROW
                WHEN (NEW.sort_name IS DISTINCT FROM COALESCE(NEW.name, '')) EXECUTE FUNCTION fill_sort_name();
            """,
            """
            ALTER TABLE image_properties ADD COLUMN value_prefix TEXT \(dialect.byteOrder),
                ADD COLUMN image_created_at BIGINT;
            CREATE TRIGGER image_properties_from_before BEFORE INSERT ON image_properties FOR EACH ROW
                WHEN (NEW.image_created_at IS NULL) EXECUTE FUNCTION fill_image_created_at();
            CREATE TRIGGER image_properties_changed_from_before BEFORE INSERT OR UPDATE ON image_properties FOR EACH ROW
                WHEN (NEW.value_prefix IS DISTINCT FROM substr(NEW.value, 1, 255)) EXECUTE FUNCTION fill_value_prefix();
            """,
            """
            ALTER TABLE image_tags ADD COLUMN image_created_at BIGINT;
            CREATE TRIGGER image_tags_from_before BEFORE INSERT ON image_tags FOR EACH ROW
                WHEN (NEW.image_created_at IS NULL) EXECUTE FUNCTION fill_image_created_at();
            """,
            """
            ALTER TABLE image_members ADD COLUMN image_created_at BIGINT;
            CREATE TRIGGER image_members_from_before BEFORE INSERT ON image_members FOR EACH ROW
                WHEN (NEW.image_created_at IS NULL) EXECUTE FUNCTION fill_image_created_at();
            """,
        ]
        // A generated column would be stored, and the table written anew for it.
        let names = MigrationStep.Filling("images", by: "id") { rows in
            "UPDATE images SET sort_name = COALESCE(name, '') WHERE sort_name IS NULL AND \(rows)"
        }
        return steps.map { .statements($0) } + [.filling(names)]
    }
}

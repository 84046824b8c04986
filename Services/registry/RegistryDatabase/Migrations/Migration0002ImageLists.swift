extension Migration {
    /// What lists of a million images are found by (`docs/decisions/0011-image-lists.md`).
    ///
    /// Tags, properties and members carry their image's time of creation, which never changes, and properties the
    /// beginning of their value, so that one index gives what has a tag or a value in the order of the default list.
    /// Programs that know nothing of these columns may go on writing: triggers fill in what they leave out. A name
    /// that is missing is sorted as the empty one; the database computes that column itself.
    ///
    /// No table is written anew, as PostgreSQL does for a column that it has to store for every row: whoever waited for
    /// that with an older snapshot would find an empty table.
    static let imageLists = Migration(number: 2, name: "image lists", phase: .expand) { dialect in
        """
        ALTER TABLE images ADD COLUMN sort_name TEXT \(dialect.byteOrder)\(sortName(dialect.name));
        ALTER TABLE image_properties ADD COLUMN value_prefix TEXT \(dialect.byteOrder);
        ALTER TABLE image_properties ADD COLUMN image_created_at BIGINT;
        ALTER TABLE image_tags ADD COLUMN image_created_at BIGINT;
        ALTER TABLE image_members ADD COLUMN image_created_at BIGINT;
        UPDATE image_properties SET value_prefix = substr(value, 1, 255),
            image_created_at = (SELECT i.created_at FROM images i WHERE i.id = image_id);
        UPDATE image_tags SET image_created_at = (SELECT i.created_at FROM images i WHERE i.id = image_id);
        UPDATE image_members SET image_created_at = (SELECT i.created_at FROM images i WHERE i.id = image_id);
        DROP INDEX images_by_name;
        DROP INDEX image_properties_by_value;
        DROP INDEX image_tags_by_value;
        DROP INDEX image_members_by_member;
        CREATE INDEX images_by_name ON images (sort_name, created_at, id) WHERE deleted_at IS NULL;
        CREATE INDEX images_by_owner_and_name ON images (owner, sort_name, created_at, id) WHERE deleted_at IS NULL;
        CREATE INDEX images_open_by_name ON images (visibility, sort_name, created_at, id)
            WHERE deleted_at IS NULL AND visibility IN ('public', 'community');
        CREATE INDEX image_properties_by_value ON image_properties (name, value_prefix, image_created_at, image_id);
        CREATE INDEX image_tags_by_value ON image_tags (value, image_created_at, image_id);
        CREATE INDEX image_members_by_member ON image_members (member, status, image_created_at, image_id);
        \(triggers(dialect.name))
        """
    }

    private static func sortName(_ database: SQLDialect.Name) -> String {
        switch database {
        case .sqlite: " GENERATED ALWAYS AS (COALESCE(name, '')) VIRTUAL"
        case .postgresql: "; UPDATE images SET sort_name = COALESCE(name, '')"
        }
    }

    private static func triggers(_ database: SQLDialect.Name) -> String {
        switch database {
        case .sqlite:
            """
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
        case .postgresql:
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
            CREATE TRIGGER images_sort_name BEFORE INSERT OR UPDATE ON images FOR EACH ROW
                WHEN (NEW.sort_name IS DISTINCT FROM COALESCE(NEW.name, '')) EXECUTE FUNCTION fill_sort_name();
            CREATE TRIGGER image_properties_from_before BEFORE INSERT ON image_properties FOR EACH ROW
                WHEN (NEW.image_created_at IS NULL) EXECUTE FUNCTION fill_image_created_at();
            CREATE TRIGGER image_properties_changed_from_before BEFORE INSERT OR UPDATE ON image_properties FOR EACH ROW
                WHEN (NEW.value_prefix IS DISTINCT FROM substr(NEW.value, 1, 255)) EXECUTE FUNCTION fill_value_prefix();
            CREATE TRIGGER image_tags_from_before BEFORE INSERT ON image_tags FOR EACH ROW
                WHEN (NEW.image_created_at IS NULL) EXECUTE FUNCTION fill_image_created_at();
            CREATE TRIGGER image_members_from_before BEFORE INSERT ON image_members FOR EACH ROW
                WHEN (NEW.image_created_at IS NULL) EXECUTE FUNCTION fill_image_created_at();
            """
        }
    }
}

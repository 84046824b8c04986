extension Migration {
    /// What members' lists by a tag are found by (`docs/decisions/0011-image-lists.md`).
    ///
    /// Tags carry their image's `visibility` and `owner`, so that one index has what is open and has a tag, another what a
    /// project owns and has it, in the order of the default list. The database keeps them: a trigger on images for what
    /// changes, one on tags for programs that know nothing of these columns.
    ///
    /// Where others write meanwhile, tags are told of changes before any of them is filled in: a tag that has a visibility
    /// has the right one from then on, and one that has none is left to the filling.
    static let tagAudiences = Migration(number: 9, name: "tag audiences", phase: .expand) { dialect in
        let triggers =
            switch dialect.name {
            case .sqlite: sqlite
            case .postgresql: postgresql
            }
        return columns(dialect) + triggers + [filling] + indexes
    }

    private static func columns(_ dialect: SQLDialect) -> [MigrationStep] {
        [
            .statements(
                """
                ALTER TABLE image_tags ADD COLUMN visibility TEXT \(dialect.byteOrder);
                ALTER TABLE image_tags ADD COLUMN owner TEXT \(dialect.byteOrder);
                """
            )
        ]
    }

    private static let filling = MigrationStep.filling(
        .init("image_tags", by: "image_id") { rows in
            """
            UPDATE image_tags SET (visibility, owner) = (SELECT i.visibility, i.owner FROM images i WHERE i.id = image_id)
            WHERE visibility IS NULL AND \(rows)
            """
        }
    )

    private static let indexes: [MigrationStep] = [
        // The owner first: what asks for a tag alone is not to take this index, which is wider than that of the values.
        .index(.init("image_tags_by_owner", on: "image_tags", "(owner, value, image_created_at, image_id)")),
        .index(
            .init(
                "image_tags_open",
                on: "image_tags",
                "(value, visibility, image_created_at, image_id) WHERE visibility IN ('public', 'community')"
            )
        ),
    ]

    private static let sqlite: [MigrationStep] = [
        .statements(
            """
            CREATE TRIGGER images_tell_tags AFTER UPDATE OF visibility, owner ON images
            WHEN OLD.visibility <> NEW.visibility OR OLD.owner IS NOT NEW.owner
            BEGIN
                UPDATE image_tags SET visibility = NEW.visibility, owner = NEW.owner WHERE image_id = NEW.id;
            END;
            CREATE TRIGGER image_tags_without_audience AFTER INSERT ON image_tags WHEN NEW.visibility IS NULL
            BEGIN
                UPDATE image_tags
                SET (visibility, owner) = (SELECT i.visibility, i.owner FROM images i WHERE i.id = NEW.image_id)
                WHERE image_id = NEW.image_id AND value = NEW.value;
            END;
            """
        )
    ]

    private static let postgresql: [MigrationStep] = [
        """
        CREATE FUNCTION tell_image_tags() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE image_tags SET visibility = NEW.visibility, owner = NEW.owner WHERE image_id = NEW.id;
            RETURN NULL;
        END $$;
        CREATE FUNCTION fill_tag_audience() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            SELECT i.visibility, i.owner INTO NEW.visibility, NEW.owner FROM images i WHERE i.id = NEW.image_id;
            RETURN NEW;
        END $$;
        """,
        """
        CREATE TRIGGER images_tell_tags AFTER UPDATE OF visibility, owner ON images FOR EACH ROW
            WHEN (OLD.visibility <> NEW.visibility OR OLD.owner IS DISTINCT FROM NEW.owner)
            EXECUTE FUNCTION tell_image_tags();
        """,
        """
        CREATE TRIGGER image_tags_without_audience BEFORE INSERT ON image_tags FOR EACH ROW
            WHEN (NEW.visibility IS NULL) EXECUTE FUNCTION fill_tag_audience();
        """,
    ].map { .statements($0) }
}

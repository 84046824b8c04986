extension Migration {
    /// What each project uses, counted by triggers in the very transactions that change it, so that the programs of the
    /// release before count as well.
    ///
    /// A project's figures are in parts, by the last two characters of an image's id: those who create images of one
    /// project at once seldom wait for each other, and whoever asks adds up 256 rows at most. `stored_bytes` are the sizes of
    /// images by their live locations, `staged_bytes` the sizes of those that wait to be imported, each with what uploads
    /// under way have reserved; `storage_quota` is what such an upload was told its project may have. Images of nobody are
    /// not counted.
    ///
    /// On PostgreSQL nobody waits for the sums of what was there before: the triggers come first and count from zero. What
    /// was there before them is then what there is less what they have counted so far, in whichever single snapshot that is
    /// taken; it is put aside, and added part by part.
    static let usage = Migration(number: 5, name: "usage", phase: .expand) { dialect in
        switch dialect.name {
        case .sqlite:
            [
                .statements(
                    """
                    \(table("project_usage", dialect));
                    ALTER TABLE uploads ADD COLUMN reserved BIGINT NOT NULL DEFAULT 0;
                    ALTER TABLE uploads ADD COLUMN reserved_staging BIGINT NOT NULL DEFAULT 0;
                    ALTER TABLE uploads ADD COLUMN storage_quota BIGINT;
                    \(UsageTriggers.sqlite)
                    INSERT INTO project_usage (owner, part, \(UsageTriggers.columns.joined(separator: ", "))) \(sums);
                    """
                )
            ]
        case .postgresql:
            [
                .statements("\(table("project_usage", dialect)); \(UsageTriggers.postgresqlFunctions)"),
                .statements(
                    """
                    ALTER TABLE uploads ADD COLUMN reserved BIGINT NOT NULL DEFAULT 0,
                        ADD COLUMN reserved_staging BIGINT NOT NULL DEFAULT 0, ADD COLUMN storage_quota BIGINT;
                    \(UsageTriggers.postgresqlOnUploads)
                    """
                ),
                .statements(UsageTriggers.postgresqlOnImages),
                .statements(UsageTriggers.postgresqlOnLocations),
                .statements("\(table("project_usage_before", dialect)); \(putAside)"),
                .filling(.init("project_usage_before", by: "owner") { "\(addBefore($0))" }),
                .statements("DROP TABLE project_usage_before"),
            ]
        }
    }

    private static func table(_ name: String, _ dialect: SQLDialect) -> String {
        let figures = UsageTriggers.columns.map { "\($0) BIGINT NOT NULL DEFAULT 0" }.joined(separator: ", ")
        return """
            CREATE TABLE \(name) (owner TEXT NOT NULL, part TEXT NOT NULL, \(figures), PRIMARY KEY (owner, part))
            \(dialect.withoutRowID)
            """
    }

    /// What all there is comes to.
    private static var sums: String {
        let sums = zip(UsageTriggers.figures(of: "i"), UsageTriggers.columns).map { "sum(\($0)) AS \($1)" }.joined(
            separator: ", "
        )
        return """
            SELECT i.owner, substr(i.id, 35, 2) AS part, \(sums)
            FROM images i WHERE i.owner IS NOT NULL GROUP BY i.owner, substr(i.id, 35, 2)
            """
    }

    /// One statement, and so one snapshot: in it the triggers have counted what was done by those who committed, and no more.
    private static var putAside: String {
        let differences = UsageTriggers.columns.map { "COALESCE(n.\($0), 0) - COALESCE(p.\($0), 0)" }.joined(
            separator: ", "
        )
        return """
            INSERT INTO project_usage_before (owner, part, \(UsageTriggers.columns.joined(separator: ", ")))
                SELECT COALESCE(n.owner, p.owner), COALESCE(n.part, p.part), \(differences)
                FROM (\(sums)) n FULL JOIN project_usage p ON p.owner = n.owner AND p.part = n.part
            """
    }

    private static func addBefore(_ rows: String) -> String {
        let names = UsageTriggers.columns.joined(separator: ", ")
        let sums = UsageTriggers.columns.map { "\($0) = p.\($0) + excluded.\($0)" }.joined(separator: ", ")
        return """
            INSERT INTO project_usage AS p (owner, part, \(names))
                SELECT owner, part, \(names) FROM project_usage_before WHERE \(rows) ORDER BY owner, part
                ON CONFLICT (owner, part) DO UPDATE SET \(sums)
            """
    }
}

private enum UsageTriggers {
    static let counted = "status NOT IN ('killed', 'deleted', 'pending_delete')"

    /// Sizes come from other people's web servers too: what is larger than any image counts as that much, so that no sum
    /// overflows.
    private static func size(_ row: String) -> String {
        let most = UsageTable.largestSize
        return "(CASE WHEN \(row).size > \(most) THEN \(most) ELSE \(row).size END)"
    }

    /// What an image adds to each of the four figures, in their order; `row` is its row.
    static func figures(of row: String) -> [String] {
        [
            "CASE WHEN \(row).\(counted) THEN 1 ELSE 0 END",
            "CASE WHEN \(row).status IN ('saving', 'uploading', 'importing') THEN 1 ELSE 0 END",
            """
            CASE WHEN \(row).\(counted) AND \(row).size > 0 THEN \(size(row)) *
                (SELECT count(*) FROM image_locations l WHERE l.image_id = \(row).id AND l.state = 'live') ELSE 0 END
                + \(reserved("reserved", for: row))
            """,
            """
            CASE WHEN \(row).status IN ('uploading', 'importing') AND \(row).size > 0 THEN \(size(row)) ELSE 0 END
                + \(reserved("reserved_staging", for: row))
            """,
        ]
    }

    /// The same for a row that is just being written: nothing can hang on it yet, and nobody is made to look for it.
    private static let figuresOfNew = [
        "CASE WHEN NEW.\(counted) THEN 1 ELSE 0 END",
        "CASE WHEN NEW.status IN ('saving', 'uploading', 'importing') THEN 1 ELSE 0 END",
        "0",
        "CASE WHEN NEW.status IN ('uploading', 'importing') AND NEW.size > 0 THEN \(size("NEW")) ELSE 0 END",
    ]

    private static func reserved(_ column: String, for row: String) -> String {
        "(SELECT CAST(COALESCE(sum(u.\(column)), 0) AS BIGINT) FROM uploads u WHERE u.image_id = \(row).id)"
    }

    // MARK: SQLite

    static var sqlite: String {
        let triggers = [
            trigger("images_counted", "INSERT ON images", when: "NEW.owner IS NOT NULL", addNew),
            trigger(
                "images_recounted",
                "UPDATE OF owner, status, size ON images",
                when: "OLD.owner IS NOT NEW.owner OR OLD.status IS NOT NEW.status OR OLD.size IS NOT NEW.size",
                add("OLD", "-") + add("NEW", "+")
            ),
            trigger("images_discounted", "DELETE ON images", add("OLD", "-")),
            trigger("locations_counted", "INSERT ON image_locations", when: live("NEW"), addLocation("NEW", "+")),
            trigger("locations_discounted", "DELETE ON image_locations", when: live("OLD"), addLocation("OLD", "-")),
            trigger(
                "locations_gained",
                "UPDATE OF state ON image_locations",
                when: "\(live("NEW")) AND NOT \(live("OLD"))",
                addLocation("NEW", "+")
            ),
            trigger(
                "locations_lost",
                "UPDATE OF state ON image_locations",
                when: "\(live("OLD")) AND NOT \(live("NEW"))",
                addLocation("OLD", "-")
            ),
            trigger("uploads_counted", "INSERT ON uploads", addUpload("NEW", "+")),
            trigger(
                "uploads_recounted",
                "UPDATE OF reserved, reserved_staging ON uploads",
                addUpload("OLD", "-") + addUpload("NEW", "+")
            ),
            trigger("uploads_discounted", "DELETE ON uploads", addUpload("OLD", "-")),
        ]
        return triggers.joined(separator: "\n")
    }

    private static func live(_ row: String) -> String { "\(row).state = 'live'" }

    private static func trigger(_ name: String, _ event: String, when condition: String? = nil, _ body: String)
        -> String
    {
        "CREATE TRIGGER \(name) AFTER \(event) \(condition.map { "WHEN \($0)" } ?? "")\nBEGIN\n\(body)END;"
    }

    static let columns = ["image_count", "uploading_count", "stored_bytes", "staged_bytes"]

    private static var addNew: String {
        let changes = columns.map { "\($0) = \($0) + excluded.\($0)" }.joined(separator: ", ")
        return """
            INSERT INTO project_usage (owner, part, \(columns.joined(separator: ", ")))
                VALUES (NEW.owner, substr(NEW.id, 35, 2), \(figuresOfNew.joined(separator: ", ")))
                ON CONFLICT (owner, part) DO UPDATE SET \(changes);

            """
    }

    private static func add(_ row: String, _ sign: String) -> String {
        let changes = zip(columns, figures(of: row)).map { "\($0) = \($0) \(sign) (\($1))" }.joined(separator: ", ")
        return """
            INSERT INTO project_usage (owner, part) SELECT \(row).owner, substr(\(row).id, 35, 2)
                WHERE \(row).owner IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_usage p
                    WHERE p.owner = \(row).owner AND p.part = substr(\(row).id, 35, 2));
            UPDATE project_usage SET \(changes) WHERE owner = \(row).owner AND part = substr(\(row).id, 35, 2);

            """
    }

    /// Every image that has an owner has its row of figures.
    private static func addLocation(_ row: String, _ sign: String) -> String {
        """
        UPDATE project_usage SET stored_bytes = stored_bytes \(sign)
            (SELECT CASE WHEN i.\(counted) AND i.size > 0 THEN \(size("i")) ELSE 0 END FROM images i WHERE i.id = \(row).image_id)
            WHERE owner = (SELECT i.owner FROM images i WHERE i.id = \(row).image_id)
                AND part = substr(\(row).image_id, 35, 2);

        """
    }

    private static func addUpload(_ row: String, _ sign: String) -> String {
        """
        UPDATE project_usage SET stored_bytes = stored_bytes \(sign) \(row).reserved,
            staged_bytes = staged_bytes \(sign) \(row).reserved_staging
            WHERE (\(row).reserved <> 0 OR \(row).reserved_staging <> 0)
                AND owner = (SELECT i.owner FROM images i WHERE i.id = \(row).image_id)
                AND part = substr(\(row).image_id, 35, 2);

        """
    }

    // MARK: PostgreSQL

    static var postgresqlFunctions: String {
        let discounted = figures(of: "OLD").map { "-(\($0))" }.joined(separator: ", ")
        let gained = figures(of: "NEW").joined(separator: ", ")
        let changed = zip(figures(of: "NEW"), figures(of: "OLD")).map { "(\($0)) - (\($1))" }.joined(separator: ", ")
        return """
            CREATE FUNCTION add_project_usage(of_owner TEXT, of_image TEXT, images BIGINT, uploading BIGINT, stored BIGINT,
                staged BIGINT)
            RETURNS void LANGUAGE plpgsql AS $$
            BEGIN
                IF of_owner IS NULL OR (images = 0 AND uploading = 0 AND stored = 0 AND staged = 0) THEN RETURN; END IF;
                INSERT INTO project_usage AS p (owner, part, image_count, uploading_count, stored_bytes, staged_bytes)
                    VALUES (of_owner, substr(of_image, 35, 2), images, uploading, stored, staged)
                    ON CONFLICT (owner, part) DO UPDATE SET image_count = p.image_count + excluded.image_count,
                        uploading_count = p.uploading_count + excluded.uploading_count,
                        stored_bytes = p.stored_bytes + excluded.stored_bytes,
                        staged_bytes = p.staged_bytes + excluded.staged_bytes;
            END $$;
            CREATE FUNCTION count_image() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    PERFORM add_project_usage(NEW.owner, NEW.id, \(figuresOfNew.joined(separator: ", ")));
                ELSIF TG_OP = 'UPDATE' AND OLD.owner = NEW.owner THEN
                    PERFORM add_project_usage(NEW.owner, NEW.id, \(changed));
                ELSE
                    PERFORM add_project_usage(OLD.owner, OLD.id, \(discounted));
                    IF TG_OP = 'UPDATE' THEN PERFORM add_project_usage(NEW.owner, NEW.id, \(gained)); END IF;
                END IF;
                RETURN NULL;
            END $$;
            CREATE FUNCTION count_location() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP <> 'INSERT' AND OLD.state = 'live' THEN
                    PERFORM add_project_usage(i.owner, i.id, 0, 0, -\(size("i")), 0)
                        FROM images i WHERE i.id = OLD.image_id AND i.\(counted) AND i.size > 0;
                END IF;
                IF TG_OP <> 'DELETE' AND NEW.state = 'live' THEN
                    PERFORM add_project_usage(i.owner, i.id, 0, 0, \(size("i")), 0)
                        FROM images i WHERE i.id = NEW.image_id AND i.\(counted) AND i.size > 0;
                END IF;
                RETURN NULL;
            END $$;
            CREATE FUNCTION count_upload() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP <> 'INSERT' THEN
                    PERFORM add_project_usage(i.owner, i.id, 0, 0, -OLD.reserved, -OLD.reserved_staging)
                        FROM images i WHERE i.id = OLD.image_id;
                END IF;
                IF TG_OP <> 'DELETE' THEN
                    PERFORM add_project_usage(i.owner, i.id, 0, 0, NEW.reserved, NEW.reserved_staging)
                        FROM images i WHERE i.id = NEW.image_id;
                END IF;
                RETURN NULL;
            END $$;
            """
    }

    static let postgresqlOnImages = """
        CREATE TRIGGER images_counted AFTER INSERT OR DELETE ON images FOR EACH ROW EXECUTE FUNCTION count_image();
        CREATE TRIGGER images_recounted AFTER UPDATE OF owner, status, size ON images FOR EACH ROW
            WHEN (OLD.owner IS DISTINCT FROM NEW.owner OR OLD.status IS DISTINCT FROM NEW.status
                OR OLD.size IS DISTINCT FROM NEW.size) EXECUTE FUNCTION count_image();
        """
    static let postgresqlOnLocations = """
        CREATE TRIGGER locations_counted AFTER INSERT OR DELETE ON image_locations FOR EACH ROW
            EXECUTE FUNCTION count_location();
        CREATE TRIGGER locations_recounted AFTER UPDATE OF state ON image_locations FOR EACH ROW
            WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION count_location();
        """
    static let postgresqlOnUploads = """
        CREATE TRIGGER uploads_counted AFTER INSERT OR DELETE OR UPDATE OF reserved, reserved_staging ON uploads
            FOR EACH ROW EXECUTE FUNCTION count_upload();
        """
}

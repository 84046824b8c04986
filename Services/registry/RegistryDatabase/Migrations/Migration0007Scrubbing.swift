extension Migration {
    /// When data of deleted images is to go, and what is known of data that is there.
    ///
    /// `scrub_at` is set while a queued deletion waits for the scrubber; `claimed_until` is then without end, so that
    /// nobody else takes it, the programs of the release before included. `verified_at` is when the data was last read and
    /// compared (0: never), `verifier`, `verifying_process` and `verifying_until` say who is at it; `damage` is what was wrong with it.
    static let scrubbing = Migration(number: 7, name: "scrubbing", phase: .expand) { _ in
        [
            .statements(
                """
                ALTER TABLE image_locations ADD COLUMN scrub_at BIGINT;
                ALTER TABLE image_locations ADD COLUMN verified_at BIGINT NOT NULL DEFAULT 0;
                ALTER TABLE image_locations ADD COLUMN verifier TEXT;
                ALTER TABLE image_locations ADD COLUMN verifying_process TEXT;
                ALTER TABLE image_locations ADD COLUMN verifying_until BIGINT NOT NULL DEFAULT 0;
                ALTER TABLE image_locations ADD COLUMN damage TEXT;
                ALTER TABLE image_locations ADD COLUMN damage_found_at BIGINT;
                """
            ),
            index("image_locations_queued", "(id) WHERE state = 'deleting'"),
            index("image_locations_to_verify", "(store, verified_at, id) WHERE state = 'live'"),
            index("image_locations_verifying", "(verifier) WHERE verifier IS NOT NULL"),
            index("image_locations_damaged", "(id) WHERE damage IS NOT NULL"),
        ]
    }

    private static func index(_ name: String, _ definition: String) -> MigrationStep {
        .index(.init(name, on: "image_locations", definition))
    }
}

extension Migration {
    /// When data of deleted images is to go, and what is known of data that is there.
    ///
    /// `scrub_at` is set while a queued deletion waits for the scrubber; `claimed_until` is then without end, so that
    /// nobody else takes it, the programs of the release before included. `verified_at` is when the data was last read and
    /// compared (0: never), `verifier`, `verifying_process` and `verifying_until` say who is at it; `damage` is what was wrong with it.
    static let scrubbing = Migration(number: 7, name: "scrubbing", phase: .expand) { _ in
        """
        ALTER TABLE image_locations ADD COLUMN scrub_at BIGINT;
        ALTER TABLE image_locations ADD COLUMN verified_at BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE image_locations ADD COLUMN verifier TEXT;
        ALTER TABLE image_locations ADD COLUMN verifying_process TEXT;
        ALTER TABLE image_locations ADD COLUMN verifying_until BIGINT NOT NULL DEFAULT 0;
        ALTER TABLE image_locations ADD COLUMN damage TEXT;
        ALTER TABLE image_locations ADD COLUMN damage_found_at BIGINT;
        CREATE INDEX image_locations_queued ON image_locations (id) WHERE state = 'deleting';
        CREATE INDEX image_locations_to_verify ON image_locations (store, verified_at, id) WHERE state = 'live';
        CREATE INDEX image_locations_verifying ON image_locations (verifier) WHERE verifier IS NOT NULL;
        CREATE INDEX image_locations_damaged ON image_locations (id) WHERE damage IS NOT NULL;
        """
    }
}

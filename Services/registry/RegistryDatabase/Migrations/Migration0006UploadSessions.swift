extension Migration {
    /// What is known of uploads that come in parts, beside their rows of `uploads`, whose lease is theirs.
    ///
    /// `parts` and `received` are lists of ranges (`0-9,20-29`), `digests` is JSON. A closed session takes no more parts. A
    /// finished one stays until `expires_at`, for a client that did not hear of the end.
    static let uploadSessions = Migration(number: 6, name: "upload sessions", phase: .expand) { _ in
        """
        CREATE TABLE upload_sessions (
            attempt TEXT NOT NULL PRIMARY KEY,
            image_id TEXT NOT NULL REFERENCES images (id),
            node TEXT NOT NULL,
            store TEXT,
            url TEXT NOT NULL,
            parallel INTEGER NOT NULL,
            metadata TEXT,
            digests TEXT NOT NULL,
            parts TEXT NOT NULL,
            received TEXT NOT NULL,
            closed INTEGER NOT NULL,
            finished INTEGER NOT NULL,
            expires_at BIGINT NOT NULL
        );
        CREATE INDEX upload_sessions_by_image ON upload_sessions (image_id);
        CREATE INDEX upload_sessions_by_expiry ON upload_sessions (expires_at);
        """
    }
}

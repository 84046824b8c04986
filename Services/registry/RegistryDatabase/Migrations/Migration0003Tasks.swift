extension Migration {
    /// What is done for images beside requests: imports, and whatever else takes longer than a client waits.
    ///
    /// `input` and `result` are JSON. A task outlives its image, and so its image need not be one.
    static let tasks = Migration(number: 3, name: "tasks", phase: .expand) { _ in
        """
        CREATE TABLE tasks (
            id TEXT NOT NULL PRIMARY KEY,
            type TEXT NOT NULL,
            status TEXT NOT NULL,
            owner TEXT,
            image_id TEXT,
            request_id TEXT,
            user_id TEXT,
            expires_at BIGINT,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            input TEXT,
            result TEXT,
            message TEXT NOT NULL
        );
        CREATE INDEX tasks_by_image ON tasks (image_id, created_at, id);
        CREATE INDEX tasks_by_owner ON tasks (owner, created_at, id);
        CREATE INDEX tasks_by_expiry ON tasks (expires_at);
        """
    }
}

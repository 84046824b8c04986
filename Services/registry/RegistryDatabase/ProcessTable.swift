public import ImageModel
public import RegistryContract

/// What processes of API nodes and scrubbers hold for a while: uploads, deletions that they are at, copies that they verify.
public struct ProcessTable {
    let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    /// The other processes of this node that hold something. Sessions are no process's.
    public func processes(besides holder: Holder) throws -> [String] {
        let others: [SQLValue] = [.text(holder.node), .text(holder.process)]
        return try connection.query(
            """
            SELECT process FROM uploads WHERE node = ? AND process <> ? AND \(Self.isNoSession)
            UNION SELECT claiming_process FROM image_locations
            WHERE claimed_by = ? AND claiming_process <> ? AND state = 'deleting'
            UNION SELECT verifying_process FROM image_locations WHERE verifier = ? AND verifying_process <> ?
            LIMIT \(HoldingProcesses.limit)
            """,
            others + others + others
        ) { $0.text(0) }
    }

    /// Ends the uploads of a process that lives no more, and makes what else it was at anybody's again.
    public func release(_ holder: Holder, at now: Timestamp) throws {
        let process: [SQLValue] = [.text(holder.node), .text(holder.process)]
        let attempts = try connection.query(
            "SELECT attempt FROM uploads WHERE node = ? AND process = ? AND \(Self.isNoSession)",
            process
        ) { $0.text(0) }
        let uploads = UploadTable(connection)
        for attempt in attempts { try uploads.end(attempt: attempt, isDiscarded: false, at: now) }
        try connection.execute(
            """
            UPDATE image_locations SET claimed_by = NULL, claiming_process = NULL, claimed_until = 0
            WHERE claimed_by = ? AND claiming_process = ? AND state = 'deleting'
            """,
            process
        )
        try connection.execute(
            """
            UPDATE image_locations SET verifier = NULL, verifying_process = NULL, verifying_until = 0
            WHERE verifier = ? AND verifying_process = ?
            """,
            process
        )
    }

    private static let isNoSession = "NOT EXISTS (SELECT 1 FROM upload_sessions s WHERE s.attempt = uploads.attempt)"
}

public import ImageModel
public import RegistryContract

/// Data on its way into a node's staging directory. Once it is there its location is `staged`: never read by clients, and
/// deleted with the image or by the import that used it.
public struct StagingTable {
    let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    public func begin(
        _ staging: BeginStaging,
        as caller: Caller,
        lease: Duration,
        claimedUntil: Timestamp,
        at now: Timestamp
    ) throws -> UploadClaim {
        // Another node may have a directory of the same path: what has to go from there is no business of this one's.
        let toSettle = {
            try LocationTable(connection).deletions(
                at: staging.url,
                in: staging.store,
                claimFor: staging.holder,
                until: claimedUntil
            )
        }
        return try UploadTable(connection).claim(
            UploadTable.Attempt(
                image: staging.image,
                name: staging.attempt,
                holder: staging.holder,
                store: staging.store,
                url: staging.url,
                size: staging.size,
                limits: staging.limits,
                status: .uploading
            ),
            settling: toSettle,
            as: caller,
            lease: lease,
            at: now
        )
    }

    public func finish(_ staging: FinishStaging, at now: Timestamp) throws -> Image {
        let id = try UploadTable(connection).held(staging.attempt, at: now).image
        let updated = try connection.execute(
            """
            UPDATE images SET size = ?, updated_at = ?, revision = revision + 1
            WHERE id = ? AND status = 'uploading' AND deleted_at IS NULL
            """,
            [.integer(staging.size), .integer(now.microseconds), .text(id.text)]
        )
        guard updated == 1 else { throw UploadTable.leaseLost }
        if let host = staging.host {
            let images = ImageTable(connection)
            try images.insert(properties: ["os_glance_stage_host": host], of: try images.image(id))
        }
        try LocationTable(connection).makeStaged(attempt: staging.attempt, identity: staging.identity)
        try connection.execute("DELETE FROM uploads WHERE attempt = ?", [.text(staging.attempt)])
        return try ImageTable(connection).image(id)
    }
}

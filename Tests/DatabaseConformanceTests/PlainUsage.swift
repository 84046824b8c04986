import RegistryContract
import RegistryDatabase

/// What a project uses, added up from all rows: what the counters have to say.
enum PlainUsage {
    private struct Row {
        var id: String
        var status: String
        var size: Int64
    }

    static func of(_ project: String, _ tables: RegistryTables) async throws -> ProjectUsage {
        try await tables.database.read { connection in
            let images = try connection.query(
                "SELECT id, status, size FROM images WHERE owner = ?",
                [.text(project)]
            ) { Row(id: $0.text(0), status: $0.text(1), size: $0.integer(2)) }
            var usage = ProjectUsage()
            for image in images {
                let locations = try connection.query(
                    "SELECT state FROM image_locations WHERE image_id = ?",
                    [.text(image.id)]
                ) { $0.text(0) }
                let reserved = try connection.query(
                    "SELECT reserved, reserved_staging FROM uploads WHERE image_id = ?",
                    [.text(image.id)]
                ) { ($0.integer(0), $0.integer(1)) }
                if !["killed", "deleted", "pending_delete"].contains(image.status) {
                    usage.imageCount += 1
                    usage.storedBytes += image.size * Int64(locations.count { $0 == "live" })
                }
                if ["saving", "uploading", "importing"].contains(image.status) { usage.uploadingCount += 1 }
                if ["uploading", "importing"].contains(image.status) { usage.stagedBytes += image.size }
                usage.storedBytes += reserved.reduce(0) { $0 + $1.0 }
                usage.stagedBytes += reserved.reduce(0) { $0 + $1.1 }
            }
            return usage
        }
    }
}

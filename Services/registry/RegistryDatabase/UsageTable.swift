internal import ImageModel
public import RegistryContract

/// What projects use, as the database's triggers count it, and whether there is room for more. What is asked here holds
/// until the transaction ends: writes have the effect of having run one after another.
public struct UsageTable {
    let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    public func usage(of project: String) throws -> ProjectUsage {
        let sums = ["image_count", "uploading_count", "stored_bytes", "staged_bytes"]
            .map { "CAST(COALESCE(sum(\($0)), 0) AS BIGINT)" }.joined(separator: ", ")
        return try connection.first("SELECT \(sums) FROM project_usage WHERE owner = ?", [.text(project)]) { row in
            ProjectUsage(
                imageCount: row.integer(0),
                uploadingCount: row.integer(1),
                storedBytes: row.integer(2),
                stagedBytes: row.integer(3)
            )
        } ?? ProjectUsage()
    }

    /// Asked once the image is there, so that it is counted.
    func requireRoom(forImageOf owner: String?, _ limits: UsageLimits) throws {
        guard let owner, let limit = limits.imageCount else { return }
        let count = try usage(of: owner).imageCount
        guard count <= limit else { throw Self.excess("image_count_total", limit, usage: count - 1, delta: 1) }
    }

    /// Asked before an attempt begins.
    ///
    /// - Parameter staging: Whether its data is going to wait for an import instead of being stored.
    func requireRoom(forUploadOf owner: String?, size: Int64?, staging: Bool, _ limits: UsageLimits) throws {
        guard let owner, limits != .none else { return }
        let usage = try usage(of: owner)
        if staging {
            try requireRoom("image_stage_total", limits.stagedMebibytes, used: usage.stagedBytes, more: size)
        } else {
            try requireRoom("image_size_total", limits.storedMebibytes, used: usage.storedBytes, more: size)
            if let quota = limits.storageQuota {
                let left = quota - usage.storedBytes
                guard size.map({ $0 <= left }) ?? (left > 0) else { throw Self.quotaExceeded(size ?? 1, left: left) }
            }
        }
        if let limit = limits.uploadingCount {
            // This one is to be counted, and is not yet.
            let count = usage.uploadingCount + 1
            guard count <= limit else { throw Self.excess("image_count_uploading", limit, usage: count, delta: 0) }
        }
    }

    private func requireRoom(_ name: String, _ limit: Int64?, used: Int64, more: Int64?) throws {
        let (sum, overflows) = used.addingReportingOverflow(more ?? 0)
        guard let limit, overflows || sum >> 20 > limit else { return }
        throw Self.excess(name, limit, usage: used >> 20, delta: (more ?? 0) >> 20)
    }

    /// Gives an upload of unknown size room for its next bytes.
    public func reserve(_ asked: ReserveUpload, owner: String?) throws -> UploadReservation {
        let given = try connection.first(
            "SELECT reserved FROM uploads WHERE attempt = ?",
            [.text(asked.attempt)],
            { $0.integer(0) }
        )
        guard let given else { throw UploadTable.leaseLost }
        guard asked.needed > given else { return UploadReservation(byteCount: given) }
        var byteCount = max(asked.needed, asked.wanted)
        if let owner {
            let left = max(0, asked.storageQuota - (try usage(of: owner).storedBytes))
            byteCount = min(byteCount, given + left)
            guard byteCount >= asked.needed else { throw Self.quotaExceeded(asked.needed, left: given + left) }
        }
        try connection.execute(
            "UPDATE uploads SET reserved = ? WHERE attempt = ?",
            [.integer(byteCount), .text(asked.attempt)]
        )
        return UploadReservation(byteCount: byteCount)
    }

    /// Runs a change of an image's locations, and refuses it where the project's data grew beyond its quota.
    func withinQuota<Result>(of owner: String?, _ limits: UsageLimits, _ change: () throws -> Result) throws -> Result {
        guard let owner, let quota = limits.storageQuota else { return try change() }
        let before = try usage(of: owner).storedBytes
        let result = try change()
        let after = try usage(of: owner).storedBytes
        guard after <= quota || after <= before else {
            throw RegistryError(
                .limitExceeded,
                "Denying attempt to upload image because it exceeds the quota: The size of the data \(after - before) "
                    + "will exceed the limit. \(max(0, quota - before)) bytes remaining.",
                field: "user_storage_quota"
            )
        }
        return result
    }

    static func quotaExceeded(_ size: Int64, left: Int64) -> RegistryError {
        RegistryError(
            .limitExceeded,
            "Image exceeds the storage quota: The size of the data \(size) will exceed the limit. "
                + "\(max(0, left)) bytes remaining.",
            field: "user_storage_quota"
        )
    }

    private static func excess(_ name: String, _ limit: Int64, usage: Int64, delta: Int64) -> RegistryError {
        RegistryError(
            .limitExceeded,
            "\(name) is over limit of \(limit) due to current usage \(usage) and delta \(delta)",
            field: name
        )
    }
}

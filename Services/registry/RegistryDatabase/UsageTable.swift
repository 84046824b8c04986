internal import ImageModel
public import RegistryContract

/// What projects use, as the database's triggers count it, and whether there is room for more. What is asked here holds
/// until the transaction ends: writes have the effect of having run one after another.
public struct UsageTable {
    let connection: any SQLConnection

    public init(_ connection: any SQLConnection) { self.connection = connection }

    /// The most bytes that one image counts for at one location: 64 TiB, more than any image has.
    static let largestSize: Int64 = 1 << 46

    public func usage(of project: String) throws -> ProjectUsage {
        let parts = try connection.query(
            "SELECT image_count, uploading_count, stored_bytes, staged_bytes FROM project_usage WHERE owner = ?",
            [.text(project)]
        ) { row in (0..<4).map { row.integer($0) } }
        let sums = parts.reduce([0, 0, 0, 0]) { sums, part in zip(sums, part).map(Self.sum) }
        return ProjectUsage(imageCount: sums[0], uploadingCount: sums[1], storedBytes: sums[2], stagedBytes: sums[3])
    }

    private static func sum(_ one: Int64, _ other: Int64) -> Int64 {
        let (sum, overflows) = one.addingReportingOverflow(other)
        return overflows ? .max : sum
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

    /// Asked before an attempt that is counted gets a further part of a declared size.
    func requireRoom(forMore size: Int64, of owner: String?, _ limits: UsageLimits) throws {
        guard let owner, let limit = limits.storedMebibytes else { return }
        try requireRoom("image_size_total", limit, used: try usage(of: owner).storedBytes, more: size)
    }

    private func requireRoom(_ name: String, _ limit: Int64?, used: Int64, more: Int64?) throws {
        guard let limit, Self.sum(used, more ?? 0) >> 20 > limit else { return }
        throw Self.excess(name, limit, usage: used >> 20, delta: (more ?? 0) >> 20)
    }

    /// How many bytes an upload may have in all, beside what it has been given; as much of what it wants as there is.
    ///
    /// - Throws: `limitExceeded` for less than it needs.
    func room(for asked: ReserveUpload, beside given: Int64, of owner: String, within quota: Int64) throws -> Int64 {
        let room = Self.sum(given, max(0, quota - (try usage(of: owner).storedBytes)))
        guard asked.needed <= room else { throw Self.quotaExceeded(asked.needed, left: room) }
        return min(max(asked.needed, asked.wanted), room, Self.largestSize)
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

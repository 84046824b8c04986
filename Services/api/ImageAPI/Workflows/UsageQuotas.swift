internal import DataUpkeep
internal import ImageModel
internal import RegistryContract
internal import StoreLayer
internal import Synchronization

/// What a project may use, as far as an operation asks for it: the one quota of the configuration, or Keystone's unified
/// limits, never both. The registry compares.
struct UsageQuotas: Sendable {
    let registry: any RegistryClient
    /// Bytes of stored data per project (`user_storage_quota`); `nil`: no limit.
    let storageQuota: Int64?
    /// A project's limits by their names, -1 for no limit (`use_keystone_limits`); `nil` where they are not used.
    let unified: UnifiedLimits?

    /// What is going to be used more.
    enum Purpose: Sendable {
        case image, upload, staging, location
    }

    /// - Parameter owner: The project that the image belongs to; an image of nobody has no limits.
    /// - Throws: `unavailable` when Keystone does not tell.
    func limits(of owner: String?, for purpose: Purpose) async throws(ServiceError) -> UsageLimits {
        guard let owner else { return .none }
        guard let unified else {
            let takesStorage = purpose == .upload || purpose == .location
            return UsageLimits(storageQuota: takesStorage ? storageQuota : nil)
        }
        // As in Glance, locations are the one quota's alone.
        if purpose == .location { return .none }
        let limits = try await unified(owner)
        if purpose == .image { return UsageLimits(imageCount: limits.bound(.imageCount)) }
        return UsageLimits(
            storedMebibytes: purpose == .upload ? limits.bound(.storedSize) : nil,
            stagedMebibytes: purpose == .staging ? limits.bound(.stagedSize) : nil,
            uploadingCount: limits.bound(.uploadingCount)
        )
    }

    /// One of the caller's limits, and how much of it is used.
    struct Entry: Sendable {
        var limit: ProjectLimits.Name
        var usage: Int64
        var maximum: Int64
    }

    /// - Returns: nothing where unified limits are not used, or for a caller of no project.
    func report(for caller: Caller, requestID: String) async throws(ServiceError) -> [Entry] {
        guard let unified, let project = caller.project else { return [] }
        let limits = try await unified(project)
        let usage = try await registry.ask(ShowUsage(project: project), as: caller, requestID: requestID)
        return ProjectLimits.Name.allCases.map { name in
            let used: Int64 =
                switch name {
                case .storedSize: usage.storedBytes >> 20
                case .stagedSize: usage.stagedBytes >> 20
                case .imageCount: usage.imageCount
                case .uploadingCount: usage.uploadingCount
                }
            return Entry(limit: name, usage: used, maximum: limits[name])
        }
    }
}

/// Room in a project's storage quota for an upload whose sender did not say how long it is: taken before bytes are stored,
/// in steps that grow with it, and given back when the attempt ends.
final class StorageReservation: Sendable {
    /// The most that is taken ahead.
    private static let step: Int64 = 64 << 20

    private let registry: any RegistryClient
    private let attempt: String
    private let requestID: String
    private let byteCount = Atomic<Int64>(0)

    init(registry: any RegistryClient, attempt: String, requestID: String) {
        self.registry = registry
        self.attempt = attempt
        self.requestID = requestID
    }

    /// Returns once there is room for that many bytes in all.
    ///
    /// - Throws: `limitExceeded`; `gone` when the attempt is over.
    func admit(_ needed: Int64) async throws(ServiceError) {
        guard needed > byteCount.load(ordering: .relaxed) else { return }
        // An upload of one batch takes no more than it has, so that small ones leave each other what they do not need.
        let ahead = needed <= DigestingUpload.batchByteCount ? 0 : min(needed, Self.step)
        let reservation = try await registry.ask(
            ReserveUpload(attempt: attempt, needed: needed, wanted: needed + ahead),
            as: .service,
            requestID: requestID
        )
        byteCount.store(reservation.byteCount, ordering: .relaxed)
    }
}

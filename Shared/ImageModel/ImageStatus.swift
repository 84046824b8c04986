/// Where an image is in its life (Image API v2, "Image status"; the transition table of the reference).
public enum ImageStatus: String, Sendable, CaseIterable {
    case queued, saving, uploading, importing, active, deactivated
    case pendingDelete = "pending_delete"
    case deleted, killed

    /// The states that may follow this one.
    public var successors: Set<ImageStatus> {
        switch self {
        case .queued: [.saving, .uploading, .importing, .active, .deleted]
        case .saving: [.active, .killed, .deleted, .queued]
        case .uploading: [.importing, .queued, .deleted]
        case .importing: [.active, .deleted, .queued]
        case .active: [.pendingDelete, .deleted, .deactivated]
        case .deactivated: [.active, .deleted]
        case .pendingDelete: [.deleted, .active]
        case .killed: [.deleted]
        case .deleted: []
        }
    }

    public func mayBecome(_ next: ImageStatus) -> Bool { successors.contains(next) }

    /// Whether both formats must be known before an image leaves this state for `next`: data is about to be kept.
    public func requiresFormats(toBecome next: ImageStatus) -> Bool {
        (self == .queued || self == .uploading) && (next == .saving || next == .active || next == .importing)
    }
}

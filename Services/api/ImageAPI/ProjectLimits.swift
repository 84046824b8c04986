public import ImageModel

/// A project's unified limits. What nobody has registered is 0.
public struct ProjectLimits: Sendable, Equatable {
    /// The resources under the names by which Keystone knows them, in the order in which they are shown.
    public enum Name: String, Sendable, CaseIterable {
        /// Mebibytes.
        case storedSize = "image_size_total"
        /// Mebibytes.
        case stagedSize = "image_stage_total"
        case imageCount = "image_count_total"
        case uploadingCount = "image_count_uploading"
    }

    private var values: [Name: Int64] = [:]

    /// - Parameter registered: Limits by name; others than ours are left out.
    public init(_ registered: [String: Int64]) {
        for (name, value) in registered {
            if let name = Name(rawValue: name) { values[name] = value }
        }
    }

    /// -1: no limit.
    public subscript(name: Name) -> Int64 { values[name] ?? 0 }

    /// `nil`: no limit.
    func bound(_ name: Name) -> Int64? { self[name] < 0 ? nil : self[name] }
}

/// Tells a project's limits, or throws `unavailable`.
public typealias UnifiedLimits = @Sendable (_ project: String) async throws(ServiceError) -> ProjectLimits

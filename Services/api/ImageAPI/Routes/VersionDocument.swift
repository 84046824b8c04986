internal import WireJSON

/// The versions of the API (Image API v2, "Versions"). They are names: no minor number changes what is served.
struct VersionDocument: Sendable {
    private let hasSeveralStores: Bool

    init(hasSeveralStores: Bool) { self.hasSeveralStores = hasSeveralStores }

    private static let oldVersions = (0...7).reversed().map { "v2.\($0)" }

    /// In the order in which they are listed. Exactly one is current, and it need not be the first.
    private var listed: [(id: String, isCurrent: Bool)] {
        let newer =
            hasSeveralStores
            ? ["v2.15", "v2.13", "v2.12", "v2.11", "v2.10", "v2.9", "v2.8", "v2.17"]
            : ["v2.15", "v2.9", "v2.17"]
        return (newer + Self.oldVersions).map { ($0, $0 == "v2.17") }
    }

    /// Whether a path may begin with this segment, or an `Accept` header name it.
    func accepts(_ version: some StringProtocol) -> Bool {
        version == "v2" || listed.contains { $0.id == version }
    }

    /// - Parameter base: Scheme, host and port, without a trailing slash.
    func bytes(base: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("versions", array: listed) { writer, version in
                writer.object { writer in
                    writer.field("id", version.id)
                    writer.field("status", version.isCurrent ? "CURRENT" : "SUPPORTED")
                    writer.field("links", array: [base]) { writer, base in
                        writer.object { writer in
                            writer.field("rel", "self")
                            writer.field("href", "\(base)/v2/")
                        }
                    }
                }
            }
        }
        return writer.bytes
    }
}

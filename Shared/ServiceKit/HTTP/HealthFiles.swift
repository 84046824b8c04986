internal import Glibc

/// Why a service should get no traffic.
public struct HealthFault: Sendable, Equatable {
    /// The words that load balancers look for.
    public var reason: String
    /// More, for answers that are configured to tell it.
    public var details: String

    public init(_ reason: String, details: String = "") {
        self.reason = reason
        self.details = details
    }
}

/// Files by whose presence an operator takes a service out of traffic (oslo.middleware, healthcheck backends).
public struct HealthFiles: Sendable, Equatable {
    /// One that exists disables the service.
    public var disabling: [String]
    /// Where some are named, one must exist.
    public var enabling: [String]

    public init(disabling: [String] = [], enabling: [String] = []) {
        self.disabling = disabling
        self.enabling = enabling
    }

    public var isEmpty: Bool { disabling.isEmpty && enabling.isEmpty }

    /// Looks now; blocks for as long as the file system takes.
    public func fault() -> HealthFault? {
        if let path = disabling.first(where: Self.exists) {
            return HealthFault("DISABLED BY FILE", details: "Path '\(path)' was found")
        }
        guard !enabling.isEmpty, !enabling.contains(where: Self.exists) else { return nil }
        let paths = enabling.map { "'\($0)'" }.joined(separator: ", ")
        return HealthFault("FILE PATH MISSING", details: "Path \(paths) was not found")
    }

    private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}

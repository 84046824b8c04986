internal import Synchronization

/// What of one public request's time went to the registry. Whoever answers the request puts one in place; the client of
/// the registry adds to it.
///
/// Task-local, because all that lies between the two has no business with it.
public final class RegistryShare: Sendable {
    @TaskLocal public static var current: RegistryShare?

    /// The parts of some time, without overlap.
    public struct Parts: Sendable, Equatable {
        /// Between the two services, tries that came to nothing and pauses included.
        public var wire = Duration.zero
        /// In the registry, without its database.
        public var registry = Duration.zero
        public var database = Duration.zero

        public init() {}

        public var sum: Duration { wire + registry + database }
    }

    private let state = Mutex(Parts())

    public init() {}

    public var parts: Parts { state.withLock { $0 } }

    /// Adds a call.
    ///
    /// - Parameters:
    ///   - duration: of all of it, as its caller has waited.
    ///   - told: what registries say that they had of it.
    public func add(_ duration: Duration, told: [RegistryTimes]) {
        state.withLock { parts in
            var left = duration
            for times in told {
                // By two clocks: neither part may be more than there was.
                let total = min(times.total, left)
                let database = min(times.database, total)
                parts.database += database
                parts.registry += total - database
                left -= total
            }
            parts.wire += left
        }
    }
}

public import ImageModel
internal import Synchronization

/// What time it is, for leases and everything else that is recorded: on a server by the server's clock, which is the same
/// for all registries; on a file, which one registry has, by this machine's.
///
/// One registry writes when a lease ends, and another finds that it has: by clocks of their own they would end uploads
/// that live. Between two looks at the server's clock the time is counted by one that nobody sets, and that goes on while
/// the machine sleeps.
public final class RegistryClock: Sendable {
    private struct Reading {
        var time: Timestamp
        var at: ContinuousClock.Instant

        func time(at instant: ContinuousClock.Instant) -> Timestamp { time.advanced(by: instant - at) }
    }

    /// A look that took longer says too little.
    private static let longestLook = Duration.seconds(1)

    private let own: @Sendable () -> Timestamp
    private let reading = Mutex<Reading?>(nil)

    /// - Parameter own: this machine's clock.
    public init(own: @escaping @Sendable () -> Timestamp) { self.own = own }

    public var now: Timestamp { reading.withLock { $0 }?.time(at: .now) ?? own() }

    /// Looks at the database's clock, and is set by it where it differs by more than the look's own length explains.
    ///
    /// - Returns: how far this machine's clock is ahead of the database's, to the length of a look; `nil` where the database
    ///   has none of its own, or the look took too long.
    @discardableResult
    public func follow(_ connection: any SQLConnection) throws -> Duration? {
        guard let sql = connection.dialect.clock else { return nil }
        let before = ContinuousClock.now
        let microseconds = try connection.first(sql) { $0.integer(0) }
        let after = ContinuousClock.now
        guard let microseconds else { return nil }
        let time = Timestamp(microseconds: microseconds)
        let middle = before + (after - before) / 2
        let isLong = after - before > Self.longestLook
        reading.withLock { reading in
            if let known = reading {
                let isSame = known.time(at: before) <= time && time <= known.time(at: after)
                if isSame || isLong { return }
            }
            reading = Reading(time: time, at: middle)
        }
        guard !isLong else { return nil }
        let expected = time.advanced(by: .now - middle)
        return .microseconds(own().microseconds - expected.microseconds)
    }
}

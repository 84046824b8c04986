/// Which registry the next exchange goes to, and which get none for now. A pure state machine: its owner asks, tells it
/// what came of it, and makes the probes that it wants.
///
/// Of the registries that are in service the one with the fewest exchanges gets the next, in turn where they are equal. One
/// is taken out at once when it cannot be reached, lets an exchange run out of time, or says that it is stopping, and
/// after ``faultLimit`` other faults in a row. It comes back with the first probe that finds it healthy. While all are
/// out, all are tried: a probe is no better informed than a call.
struct EndpointRoster {
    /// Connections that break, and registries that cannot reach their database, may be a matter of a moment.
    static let faultLimit = 3
    static let firstProbe = Duration.milliseconds(100)
    static let lastProbe = Duration.seconds(5)

    /// What came of an exchange, as far as it tells of the registry.
    enum Outcome: String, CaseIterable {
        case answered
        /// It answered and will not do so again on this connection.
        case leaving
        /// No connection could be had.
        case notReached = "not_reached"
        case timedOut = "timed_out"
        /// The connection ended, or what came was no answer of a registry.
        case broken
        /// It says that it, or its database, cannot serve.
        case unavailable
        /// It has more to do than it can; that is no fault.
        case overloaded
        /// It was not asked: too many exchanges with it wait here.
        case notAsked = "not_asked"
    }

    /// What the owner has to do.
    enum Action: Equatable {
        case none
        /// It was taken out: log that, and probe it after the pause.
        case takeOut(probeAfter: Duration)
        /// It is back: log that.
        case bringBack
        case probeAgain(after: Duration)
    }

    private struct Endpoint {
        var exchanges = 0
        var faultsInARow = 0
        var isOut = false
        var failedProbes = 0
    }

    private var endpoints: [Endpoint]
    private var turn = 0

    init(count: Int) {
        precondition(count > 0, "a client needs a registry")
        endpoints = Array(repeating: Endpoint(), count: count)
    }

    func isOut(_ index: Int) -> Bool { endpoints[index].isOut }

    /// Chooses for one exchange, which counts until ``end(_:_:pause:)``.
    ///
    /// - Parameter tried: Those that this call had no luck with: passed over while there are others.
    mutating func begin(avoiding tried: Set<Int>) -> Int {
        guard endpoints.count > 1 else {
            endpoints[0].exchanges += 1
            return 0
        }
        let all = Array(endpoints.indices)
        let choices = [
            all.filter { !endpoints[$0].isOut && !tried.contains($0) },
            all.filter { !tried.contains($0) },
            all.filter { !endpoints[$0].isOut },
            all,
        ]
        let candidates = choices.first { !$0.isEmpty } ?? all
        turn = (turn + 1) % endpoints.count
        let fewest = candidates.map { endpoints[$0].exchanges }.min() ?? 0
        let equals = candidates.filter { endpoints[$0].exchanges == fewest }
        let chosen = equals.first { $0 >= turn } ?? equals[0]
        endpoints[chosen].exchanges += 1
        return chosen
    }

    /// - Parameter jitter: From 0.5 to 1, so that many clients do not probe in step.
    mutating func end(_ index: Int, _ outcome: Outcome, jitter: @autoclosure () -> Double) -> Action {
        endpoints[index].exchanges -= 1
        switch outcome {
        case .answered, .overloaded:
            endpoints[index].faultsInARow = 0
            return bringBack(index)
        case .notAsked:
            return .none
        case .broken, .unavailable:
            endpoints[index].faultsInARow += 1
            guard endpoints[index].faultsInARow >= Self.faultLimit else { return .none }
        case .leaving, .notReached, .timedOut:
            break
        }
        guard !endpoints[index].isOut else { return .none }
        endpoints[index].isOut = true
        endpoints[index].failedProbes = 0
        return .takeOut(probeAfter: Self.firstProbe * jitter())
    }

    mutating func probed(_ index: Int, isHealthy: Bool, jitter: Double) -> Action {
        // An exchange may have brought it back meanwhile.
        guard endpoints[index].isOut else { return .none }
        if isHealthy { return bringBack(index) }
        endpoints[index].failedProbes += 1
        let pause = Self.firstProbe * (1 << min(endpoints[index].failedProbes, 10))
        return .probeAgain(after: min(pause, Self.lastProbe) * jitter)
    }

    private mutating func bringBack(_ index: Int) -> Action {
        guard endpoints[index].isOut else { return .none }
        endpoints[index].isOut = false
        endpoints[index].faultsInARow = 0
        return .bringBack
    }
}

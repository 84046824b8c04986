internal import Synchronization

/// The nonces of the last minutes, so that a recorded request cannot be played again while its timestamp is still fresh.
///
/// One process remembers; a repetition at another registry is stopped by the idempotency key where it would matter. At
/// most ``limit`` nonces of 8 bytes are kept; beyond that new requests are turned away until a minute has passed.
final class SeenNonces: Sendable {
    static let limit = 4_000_000

    enum Verdict { case new, repeated, full }

    private struct State {
        /// By the minute of the request's timestamp.
        var minutes: [Int64: Set<Int>] = [:]
        var count = 0
    }

    private let state = Mutex(State())

    /// - Parameters:
    ///   - timestamp: The request's own, in seconds, already found fresh.
    ///   - now: Seconds since 1970.
    func insert(_ nonce: String, timestamp: Int64, now: Int64, skew: Int64) -> Verdict {
        // Hashing is seeded per process: nobody outside can aim for a collision.
        let value = nonce.hashValue
        return state.withLock { state in
            let oldest = (now - skew) / 60
            for minute in state.minutes.keys where minute < oldest {
                state.count -= state.minutes.removeValue(forKey: minute)?.count ?? 0
            }
            guard state.count < Self.limit else { return .full }
            guard state.minutes[timestamp / 60, default: []].insert(value).inserted else { return .repeated }
            state.count += 1
            return .new
        }
    }
}

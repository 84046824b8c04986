internal import CoreMetrics
internal import Synchronization

/// Counts values by upper bounds. One lock, held for a few instructions, keeps counts and sum in step.
final class MetricHistogram: MetricSeries, RecorderHandler, TimerHandler {
    private struct State {
        /// Per bound, not cumulative; the last one is for what exceeds all bounds.
        var counts: [UInt64]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    /// - Parameter bounds: Ascending; each is part of the bucket below it.
    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: [UInt64](repeating: 0, count: bounds.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func write(_ name: String, _ labels: String, to text: inout PrometheusText) {
        let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
        let prefix = labels.isEmpty ? "" : "\(labels),"
        var total: UInt64 = 0
        for (count, bound) in zip(counts, bounds + [.infinity]) {
            total += count
            text.sample("\(name)_bucket", "\(prefix)le=\"\(PrometheusText.number(bound))\"", Double(total))
        }
        text.sample("\(name)_sum", labels, sum)
        text.sample("\(name)_count", labels, Double(total))
    }
}

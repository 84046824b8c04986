internal import CoreMetrics
internal import Synchronization

/// A number that counters add to and gauges set. Adding is one compare-and-exchange.
final class MetricValue: MetricSeries, CounterHandler, MeterHandler, RecorderHandler {
    /// A `Double`: whole numbers are exact up to 2^53.
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func add(_ amount: Double) {
        var current = bits.load(ordering: .relaxed)
        while true {
            let next = (Double(bitPattern: current) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(expected: current, desired: next, ordering: .relaxed)
            if exchanged { return }
            current = original
        }
    }

    /// Counters only rise: what is not above zero is left out.
    func increment(by amount: Int64) {
        if amount > 0 { add(Double(amount)) }
    }

    func increment(by amount: Double) { add(amount) }
    func decrement(by amount: Double) { add(-amount) }
    func reset() { set(0.0) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }

    func write(_ name: String, _ labels: String, to text: inout PrometheusText) { text.sample(name, labels, value) }
}

/// A counter of fractions; a class of its own because meters, too, rise by `Double`, and may fall.
final class FractionCounter: FloatingPointCounterHandler {
    let value: MetricValue

    init(_ value: MetricValue) { self.value = value }

    func increment(by amount: Double) {
        if amount > 0, amount.isFinite { value.add(amount) }
    }

    func reset() { value.reset() }
}

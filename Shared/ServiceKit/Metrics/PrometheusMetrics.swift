public import CoreMetrics
internal import Synchronization

/// Keeps the metrics of this process and shows them in Prometheus' text format. Safe for concurrent use.
///
/// Counters, meters and recorders that do not aggregate show one value per series; aggregating recorders and timers are
/// histograms with fixed bounds, timers in seconds under a name that ends in `_seconds`. A name has at most 1000 series:
/// what would be one more is counted in a series of its own with the label `overflow="true"`, so that labels taken from
/// requests cannot exhaust the memory.
public final class PrometheusMetrics: MetricsFactory {
    /// The media type of ``exposition()``.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private let families = Mutex<[String: MetricFamily]>([:])
    private let help: [String: String]
    private let seriesLimit: Int
    private static let timerBounds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800,
    ]
    private static let recorderBounds = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]

    /// - Parameters:
    ///   - help: Sentences for `# HELP`, by the labels under which the metrics are made. Others show their label there.
    ///   - seriesLimit: How many series a name may have, besides the one that takes the rest.
    public init(help: [String: String] = [:], seriesLimit: Int = 1000) {
        self.help = help
        self.seriesLimit = seriesLimit
    }

    /// The metrics in text format 0.0.4, in the order of their names and labels, and those of the process
    /// (`process_resident_memory_bytes`, `process_cpu_seconds_total`, …) as `/proc` has them at this moment.
    public func exposition() -> String {
        let families = families.withLock { Array($0.values) }
        var text = PrometheusText()
        for family in families.sorted(by: { $0.name < $1.name }) { family.write(to: &text) }
        ProcessMetrics.write(to: &text)
        return text.text
    }

    // MARK: Making

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        value(label, .counter, dimensions)
    }

    public func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        FractionCounter(value(label, .counter, dimensions))
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        value(label, .gauge, dimensions)
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate
            ? histogram(label, PrometheusText.name(label), Self.recorderBounds, dimensions)
            : value(label, .gauge, dimensions)
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let name = PrometheusText.name(label)
        return histogram(label, name.hasSuffix("_seconds") ? name : "\(name)_seconds", Self.timerBounds, dimensions)
    }

    private func value(_ label: String, _ kind: MetricFamily.Kind, _ dimensions: [(String, String)]) -> MetricValue {
        let family = family(label, PrometheusText.name(label), kind)
        return family.series(PrometheusText.labels(dimensions)) { MetricValue() }
    }

    private func histogram(
        _ label: String,
        _ name: String,
        _ bounds: [Double],
        _ dimensions: [(String, String)]
    ) -> MetricHistogram {
        let family = family(label, name, .histogram)
        return family.series(PrometheusText.labels(dimensions)) { MetricHistogram(bounds: bounds) }
    }

    /// A name has one kind. The same name used for a second kind gets that kind's word at its end.
    private func family(_ label: String, _ name: String, _ kind: MetricFamily.Kind) -> MetricFamily {
        families.withLock { families in
            var name = name
            while let family = families[name] {
                if family.kind == kind { return family }
                name += "_\(kind.rawValue)"
            }
            let family = MetricFamily(name: name, kind: kind, help: help[label] ?? label, seriesLimit: seriesLimit)
            families[name] = family
            return family
        }
    }

    // MARK: Forgetting

    public func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { forget(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {
        if let counter = handler as? FractionCounter { forget(counter.value) }
    }

    private func forget(_ handler: AnyObject) {
        for family in families.withLock({ Array($0.values) }) { family.forget(handler) }
    }
}

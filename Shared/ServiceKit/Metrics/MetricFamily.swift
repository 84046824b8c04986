internal import Synchronization

/// All series of one name.
final class MetricFamily: Sendable {
    enum Kind: String { case counter, gauge, histogram }

    let name: String
    let kind: Kind
    private let help: String
    private let seriesLimit: Int
    /// By their labels as text, which sorts them as well.
    private let series = Mutex<[String: any MetricSeries]>([:])
    private static let overflow = "overflow=\"true\""

    init(name: String, kind: Kind, help: String, seriesLimit: Int) {
        self.name = name
        self.kind = kind
        self.help = help
        self.seriesLimit = seriesLimit
    }

    /// The series with these labels, the same one each time.
    func series<Series: MetricSeries>(_ labels: String, make: () -> Series) -> Series {
        series.withLock { all in
            if let found = all[labels] as? Series { return found }
            let rest = Self.overflow
            let taken = all.count - (all[rest] == nil ? 0 : 1)
            let key = taken < seriesLimit ? labels : rest
            if let found = all[key] as? Series { return found }
            let made = make()
            all[key] = made
            return made
        }
    }

    func forget(_ handler: AnyObject) {
        series.withLock { all in
            guard let key = all.first(where: { $0.value === handler })?.key, key != Self.overflow else { return }
            all[key] = nil
        }
    }

    func write(to text: inout PrometheusText) {
        let series = series.withLock { $0.sorted { $0.key < $1.key } }
        guard !series.isEmpty else { return }
        text.head(name, kind.rawValue, help: help)
        for (labels, value) in series { value.write(name, labels, to: &text) }
    }
}

/// What one set of labels has come to.
protocol MetricSeries: AnyObject, Sendable {
    func write(_ name: String, _ labels: String, to text: inout PrometheusText)
}

/// The report as tables for a terminal.
enum ReportText {
    /// One workload: a row per service and, beside a peer, the ratio of the two.
    static func lines(_ figures: WorkloadFigures) -> [String] {
        let columns = figures.workload.isTransfer ? transferColumns : requestColumns
        var table = Table()
        table.add([""] + columns.map(\.title) + ["errors"])
        for service in figures.services {
            let errors = service.errors.sorted { $0.key < $1.key }.map { "\($0.key) × \($0.value)" }
            table.add(
                [service.service] + columns.map { $0.text(service) }
                    + [errors.isEmpty ? "0" : errors.joined(separator: ", ")]
            )
        }
        if figures.services.count == 2 {
            let (service, peer) = (figures.services[0], figures.services[1])
            table.add(["ratio"] + columns.map { Figure.short(ratio($0.value(service), $0.value(peer))) } + [""])
        }
        return ["", title(figures)] + table.lines + timeLines(figures)
    }

    /// Where the services that tell it say that the time of a request goes: until the head of its answer.
    private static func timeLines(_ figures: WorkloadFigures) -> [String] {
        var table = Table()
        table.add(["µs/req"] + RequestTimes.parts + ["all"])
        for service in figures.services {
            let times = RequestTimes.parts.map { part in service.median { $0.requestTimeMicroseconds?[part] } }
            guard times.contains(where: { $0 != nil }) else { continue }
            let all = times.reduce(0) { $0 + ($1 ?? 0) }
            table.add([service.service] + (times + [all]).map { Figure.short($0) })
        }
        return table.lines.count > 1 ? table.lines : []
    }

    /// Side by side: what a reader wants to quote, one line per measurement.
    static func summary(_ results: [WorkloadFigures]) -> [String] {
        guard let names = results.first?.services.map(\.service), names.count == 2 else { return [] }
        var table = Table()
        table.add(
            ["", "connections"] + names + ["ratio"] + names.map { "CPU, \($0)" } + ["ratio"]
        )
        for result in results {
            let isTransfer = result.workload.isTransfer
            func rate(_ service: ServiceFigures) -> Double? {
                service.median { isTransfer ? $0.megabytesPerSecond : $0.requestsPerSecond }
            }
            func cpu(_ service: ServiceFigures) -> Double? {
                service.median { isTransfer ? $0.serviceCPUSecondsPerGiB : $0.serviceCPUMicrosecondsPerRequest }
            }
            let (service, peer) = (result.services[0], result.services[1])
            table.add([
                result.workload.rawValue, String(result.connections),
                Figure.short(rate(service)), Figure.short(rate(peer)), Figure.short(ratio(rate(service), rate(peer))),
                Figure.short(cpu(service)), Figure.short(cpu(peer)), Figure.short(ratio(cpu(service), cpu(peer))),
            ])
        }
        return [
            "",
            "summary: requests/s and CPU µs per request; for transfers MB/s and CPU-s per GiB; "
                + "ratios are \(names[0]) ÷ \(names[1])",
        ] + table.lines
    }

    private struct Column {
        var title: String
        var value: (ServiceFigures) -> Double?
        var text: (ServiceFigures) -> String

        init(_ title: String, _ value: @escaping (ServiceFigures) -> Double?) {
            self.title = title
            self.value = value
            text = { Figure.short($0.succeeded > 0 ? value($0) : nil) }
        }

        /// With the smallest and the largest run.
        static func rate(_ title: String, _ figure: @escaping (RunFigures) -> Double?) -> Column {
            var column = Column("\(title) (min … max)") { $0.median(figure) }
            column.text = { service in
                let all = service.runs.compactMap(figure)
                let range = "\(Figure.short(all.min())) … \(Figure.short(all.max()))"
                return "\(Figure.short(service.median(figure))) (\(range))"
            }
            return column
        }

        static func count(_ title: String, _ value: @escaping (ServiceFigures) -> Double?) -> Column {
            var column = Column(title, value)
            column.text = { value($0).map { Figure.fixed($0, 0) } ?? "–" }
            return column
        }

        static func memory(_ title: String, _ figure: @escaping (RunFigures) -> Int?) -> Column {
            Column(title) { service in service.largest(figure).map { Double($0) / 1_048_576 } }
        }
    }

    private static var requestColumns: [Column] {
        [
            .rate("requests/s") { $0.requestsPerSecond },
            Column("p50 ms") { $0.p50Milliseconds },
            Column("p99 ms") { $0.p99Milliseconds },
            Column("max ms") { $0.maxMilliseconds },
            Column("CPU µs/req") { $0.median { $0.serviceCPUMicrosecondsPerRequest } },
            Column("client µs/req") { $0.median { $0.clientCPUMicrosecondsPerRequest } },
        ] + memoryColumns + [
            .count("answer B") { $0.median { $0.answerBytesPerRequest } },
            .count("reopened") { Double($0.runs.reduce(0) { $0 + $1.reopenedConnections }) },
        ]
    }

    private static var transferColumns: [Column] {
        [
            .rate("MB/s") { $0.megabytesPerSecond },
            Column("p50 ms") { $0.p50Milliseconds },
            Column("p99 ms") { $0.p99Milliseconds },
            Column("max ms") { $0.maxMilliseconds },
            Column("CPU-s/GiB") { $0.median { $0.serviceCPUSecondsPerGiB } },
            Column("client CPU-s/GiB") { $0.median { $0.clientCPUSecondsPerGiB } },
        ] + memoryColumns
    }

    private static var memoryColumns: [Column] {
        [
            .memory("RSS MiB") { $0.sampledResidentBytes },
            .memory("peak RSS") { $0.peakResidentBytes },
            .memory("PSS") { $0.proportionalBytes },
        ]
    }

    private static func title(_ figures: WorkloadFigures) -> String {
        let connections = Figure.connections(figures.connections)
        let size = figures.imageBytes.map { " of \(ByteCount($0).description)" } ?? ""
        return "\(figures.workload.rawValue), \(connections): \(figures.workload.summary)\(size)"
    }

    private static func ratio(_ one: Double?, _ other: Double?) -> Double? {
        guard let one, let other, other > 0 else { return nil }
        return one / other
    }
}

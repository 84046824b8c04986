import CoreMetrics
import ServiceKit
import Testing

@Suite("Prometheus metrics")
struct PrometheusMetricsTests {
    /// The exposition without the metrics of the process.
    private func exposition(_ metrics: PrometheusMetrics) -> String {
        let text = metrics.exposition()
        return text.ranges(of: "# HELP process_cpu").first.map { String(text[..<$0.lowerBound]) } ?? text
    }

    @Test("the timers of a family are those that the factory makes of the same labels")
    func families() {
        let metrics = PrometheusMetrics()
        let family = TimerFamily("request", by: "method", "status", factory: metrics)
        for _ in 1...2 { family.record(.milliseconds(1_500), "GET", "200") }
        family.record(.microseconds(250), "GET", "404")
        Timer(label: "request", dimensions: [("method", "GET"), ("status", "200")], factory: metrics)
            .recordNanoseconds(500_000_000)
        let lines = exposition(metrics).split(separator: "\n")
        #expect(lines.contains(#"request_seconds_sum{method="GET",status="200"} 3.5"#))
        #expect(lines.contains(#"request_seconds_count{method="GET",status="200"} 3"#))
        #expect(lines.contains(#"request_seconds_sum{method="GET",status="404"} 0.00025"#))
    }

    @Test("every kind is shown with help and type, in the order of names and labels")
    func kinds() {
        let metrics = PrometheusMetrics(help: ["requests": "Requests\nanswered."])
        Counter(label: "requests", dimensions: [("status", "404")], factory: metrics).increment()
        Counter(label: "requests", dimensions: [("status", "200")], factory: metrics).increment(by: 41)
        Counter(label: "requests", dimensions: [("status", "200")], factory: metrics).increment()
        FloatingPointCounter(label: "cpu", factory: metrics).increment(by: 1.25)
        let meter = Meter(label: "bytes.free", factory: metrics)
        meter.set(10)
        meter.decrement(by: 12.5)
        Recorder(label: "queue", dimensions: [], aggregate: false, factory: metrics).record(7)
        #expect(
            exposition(metrics) == """
                # HELP bytes_free bytes.free
                # TYPE bytes_free gauge
                bytes_free -2.5
                # HELP cpu cpu
                # TYPE cpu counter
                cpu 1.25
                # HELP queue queue
                # TYPE queue gauge
                queue 7
                # HELP requests Requests\\nanswered.
                # TYPE requests counter
                requests{status="200"} 42
                requests{status="404"} 1

                """
        )
    }

    @Test("a timer is a cumulative histogram in seconds")
    func timers() {
        let metrics = PrometheusMetrics()
        let timer = Timer(label: "request.duration", dimensions: [("route", "/v2")], factory: metrics)
        timer.recordMilliseconds(5)
        timer.recordMilliseconds(6)
        timer.recordSeconds(86_400)
        let lines = exposition(metrics).split(separator: "\n").map(String.init)
        #expect(lines[1] == "# TYPE request_duration_seconds histogram")
        #expect(lines.contains(#"request_duration_seconds_bucket{route="/v2",le="0.0025"} 0"#))
        #expect(lines.contains(#"request_duration_seconds_bucket{route="/v2",le="0.005"} 1"#))
        #expect(lines.contains(#"request_duration_seconds_bucket{route="/v2",le="0.01"} 2"#))
        #expect(lines.contains(#"request_duration_seconds_bucket{route="/v2",le="1800"} 2"#))
        #expect(
            lines.suffix(3) == [
                #"request_duration_seconds_bucket{route="/v2",le="+Inf"} 3"#,
                #"request_duration_seconds_sum{route="/v2"} 86400.011"#,
                #"request_duration_seconds_count{route="/v2"} 3"#,
            ]
        )
    }

    @Test("an aggregating recorder is a histogram of what it was given")
    func recorders() {
        let metrics = PrometheusMetrics()
        let recorder = Recorder(label: "size", factory: metrics)
        recorder.record(1)
        recorder.record(4096)
        recorder.record(Double.nan)
        let text = exposition(metrics)
        #expect(text.contains("size_bucket{le=\"1\"} 1\n"))
        #expect(text.contains("size_bucket{le=\"10000\"} 2\n"))
        #expect(text.hasSuffix("size_sum 4097\nsize_count 2\n"))
    }

    @Test(
        "names and label values cannot break the format",
        arguments: [
            ("a.b-c/d", "x", "v", #"a_b_c_d{x="v"} 1"#), ("9lives", "9", "v", #"_9lives{_9="v"} 1"#),
            ("a:b", "c:d", "v", #"a:b{c_d="v"} 1"#), ("", "", "", #"_{_=""} 1"#),
            ("m", "l", "a\"} 1\nforged 2", #"m{l="a\"} 1\nforged 2"} 1"#), ("m", "l", #"a\"#, #"m{l="a\\"} 1"#),
            ("é", "l", "ü", #"__{l="ü"} 1"#), ("m", "le", "v", #"m{label_le="v"} 1"#),
            ("m", "__name__", "v", #"m{label___name__="v"} 1"#), ("a\nb", "l\nm", "v", #"a_b{l_m="v"} 1"#),
        ]
    )
    func escaping(_ name: String, _ label: String, _ value: String, _ line: String) {
        let metrics = PrometheusMetrics()
        Counter(label: name, dimensions: [(label, value)], factory: metrics).increment()
        let lines = exposition(metrics).split(separator: "\n").map(String.init)
        #expect(lines.count == 3)
        #expect(lines.last == line)
    }

    @Test("the order in which labels are given makes no second series, and a repeated label counts once")
    func labelOrder() {
        let metrics = PrometheusMetrics()
        Counter(label: "m", dimensions: [("a", "1"), ("b", "2")], factory: metrics).increment()
        Counter(label: "m", dimensions: [("b", "2"), ("a", "1"), ("a", "3")], factory: metrics).increment()
        #expect(exposition(metrics).hasSuffix("m{a=\"1\",b=\"2\"} 2\n"))
    }

    @Test("what exceeds the limit of series is counted together")
    func overflow() {
        let metrics = PrometheusMetrics()
        for round in 0..<2 {
            for number in 0..<1500 {
                Counter(label: "m", dimensions: [("id", "\(number)")], factory: metrics).increment(by: round + 1)
            }
        }
        let lines = exposition(metrics).split(separator: "\n").map(String.init)
        #expect(lines.count == 2 + 1001)
        #expect(lines.contains("m{id=\"999\"} 3"))
        #expect(lines.last == "m{overflow=\"true\"} 1500")
    }

    @Test("one name used for two kinds makes two metrics")
    func kindsOfOneName() {
        let metrics = PrometheusMetrics()
        Counter(label: "m", factory: metrics).increment()
        Meter(label: "m", factory: metrics).set(5)
        let text = exposition(metrics)
        #expect(text.contains("# TYPE m counter\nm 1\n"))
        #expect(text.contains("# TYPE m_gauge gauge\nm_gauge 5\n"))
    }

    @Test("a metric that was destroyed is shown no more")
    func destruction() {
        let metrics = PrometheusMetrics()
        Counter(label: "kept", factory: metrics).increment()
        let counter = Counter(label: "m", factory: metrics)
        counter.increment()
        counter.destroy()
        let floating = FloatingPointCounter(label: "f", factory: metrics)
        floating.increment(by: 1)
        floating.destroy()
        #expect(exposition(metrics) == "# HELP kept kept\n# TYPE kept counter\nkept 1\n")
    }

    @Test("counters only rise, and nothing is lost between tasks")
    func concurrency() async {
        let metrics = PrometheusMetrics()
        Counter(label: "m", factory: metrics).increment(by: -5)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "m", factory: metrics)
                    for _ in 0..<10_000 { counter.increment() }
                }
            }
        }
        #expect(exposition(metrics).hasSuffix("m 80000\n"))
    }

    @Test("the process is told as the kernel sees it")
    func process() throws {
        let lines = PrometheusMetrics().exposition().split(separator: "\n").map(String.init)
        func value(_ name: String) throws -> Double {
            let line = try #require(lines.first { $0.hasPrefix("\(name) ") })
            return try #require(Double(line.dropFirst(name.count + 1)))
        }
        #expect(try value("process_resident_memory_bytes") > 1_000_000)
        #expect(try value("process_open_fds") >= 3)
        #expect(try value("process_cpu_seconds_total") >= 0)
        #expect(try value("process_start_time_seconds") > 1_600_000_000)
    }
}

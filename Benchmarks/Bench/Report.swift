/// The figures of one run, in the units of the printed table.
struct RunFigures: Encodable {
    var requests: Int
    /// By status, or by what went wrong.
    var errors: [String: Int]
    var seconds: Double
    var requestsPerSecond: Double
    /// Millions of bytes of image data per second; transfers only.
    var megabytesPerSecond: Double?
    var p50Milliseconds: Double
    var p99Milliseconds: Double
    var maxMilliseconds: Double
    var serviceCPUSeconds: Double?
    var serviceCPUMicrosecondsPerRequest: Double?
    var serviceCPUSecondsPerGiB: Double?
    var clientCPUSeconds: Double
    var clientCPUMicrosecondsPerRequest: Double?
    var clientCPUSecondsPerGiB: Double?
    var answerBytesPerRequest: Double?
    var reopenedConnections: Int
    var sampledResidentBytes: Int?
    var peakResidentBytes: Int?
    var proportionalBytes: Int?
    /// By part, as the service tells.
    var requestTimeMicroseconds: [String: Double]?

    init(_ measurement: Measurement, isTransfer: Bool) {
        let tally = measurement.tally
        let succeeded = Double(tally.succeeded)
        let transferred = Double(tally.sentByteCount + tally.receivedByteCount)
        func each(_ value: Double?, _ divisor: Double) -> Double? { divisor > 0 ? value.map { $0 / divisor } : nil }
        func milliseconds(_ fraction: Double) -> Double {
            Double(tally.latencies.nanoseconds(atFraction: fraction)) / 1e6
        }
        requests = tally.succeeded
        errors = tally.errors
        seconds = measurement.seconds
        requestsPerSecond = succeeded / measurement.seconds
        p50Milliseconds = milliseconds(0.5)
        p99Milliseconds = milliseconds(0.99)
        maxMilliseconds = Double(tally.latencies.maxNanoseconds) / 1e6
        serviceCPUSeconds = measurement.serviceCPUSeconds
        serviceCPUMicrosecondsPerRequest = each(measurement.serviceCPUSeconds, succeeded / 1e6)
        clientCPUSeconds = measurement.clientCPUSeconds
        clientCPUMicrosecondsPerRequest = each(measurement.clientCPUSeconds, succeeded / 1e6)
        if isTransfer {
            megabytesPerSecond = transferred / 1e6 / measurement.seconds
            serviceCPUSecondsPerGiB = each(measurement.serviceCPUSeconds, transferred / 1_073_741_824)
            clientCPUSecondsPerGiB = each(measurement.clientCPUSeconds, transferred / 1_073_741_824)
        }
        answerBytesPerRequest = each(Double(tally.receivedByteCount), succeeded)
        reopenedConnections = tally.reopened
        sampledResidentBytes = measurement.sampledByteCount
        peakResidentBytes = measurement.peakByteCount
        proportionalBytes = measurement.proportionalByteCount
        requestTimeMicroseconds = measurement.requestTimes
    }
}

/// All runs of one workload against one service.
struct ServiceFigures: Encodable {
    var service: String
    var runs: [RunFigures]
    /// Over the answers of all runs together.
    var p50Milliseconds: Double
    var p99Milliseconds: Double
    var maxMilliseconds: Double
    var errors: [String: Int]

    init(service: String, measurements: [Measurement], isTransfer: Bool) {
        var all = Tally()
        for measurement in measurements { all.merge(measurement.tally) }
        self.service = service
        runs = measurements.map { RunFigures($0, isTransfer: isTransfer) }
        p50Milliseconds = Double(all.latencies.nanoseconds(atFraction: 0.5)) / 1e6
        p99Milliseconds = Double(all.latencies.nanoseconds(atFraction: 0.99)) / 1e6
        maxMilliseconds = Double(all.latencies.maxNanoseconds) / 1e6
        errors = all.errors
    }

    /// Over the runs that have this figure; `nil` if none has.
    func median(_ figure: (RunFigures) -> Double?) -> Double? { Figure.median(runs.compactMap(figure)) }

    func largest(_ figure: (RunFigures) -> Int?) -> Int? { runs.compactMap(figure).max() }

    var succeeded: Int { runs.reduce(0) { $0 + $1.requests } }
}

/// One workload at one number of connections, against one service or two.
struct WorkloadFigures: Encodable {
    var workload: Workload
    var connections: Int
    /// Of one image; transfers only.
    var imageBytes: Int64?
    /// The service, then its peer.
    var services: [ServiceFigures]
}

/// Everything that was measured, as `--json` writes it. Holds no credentials.
struct Report: Encodable {
    struct Service: Encodable {
        var name: String
        var url: String
        var processes: [Int]
    }

    var machine: Machine
    var services: [Service]
    var images: Int
    var secondsPerRun: Int
    var clientThreads: Int
    var results: [WorkloadFigures] = []
}

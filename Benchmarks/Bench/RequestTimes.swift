internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Where a service says that the time of its requests went: `request_time_seconds` of its `/metrics`, by part, since it
/// started.
struct RequestTimes {
    static let parts = ["api", "wire", "registry", "database"]
    private static let metric = "request_time_seconds"

    private var seconds: [String: Double] = [:]
    private var requests = 0.0

    /// - Returns: `nil` for a service that does not say.
    static func of(_ service: ServiceUnderTest, _ generator: LoadGenerator) throws -> RequestTimes? {
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/metrics", headers: service.headers)
        var request = ServiceRequest(head: head, expectedStatus: 200)
        request.keepsAnswer = true
        let text = Mutex("")
        let load = Load.once([request], within: .seconds(10), timeout: .seconds(10)) { _, outcome in
            text.withLock { $0 = outcome.status == 200 ? outcome.text : "" }
        }
        _ = try generator.run(load, connections: 1, on: service)
        return RequestTimes(text.withLock { $0 })
    }

    /// - Parameter exposition: in Prometheus' text format.
    init?(_ exposition: String) {
        for line in exposition.split(separator: "\n") where line.hasPrefix(Self.metric) {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                continue
            }
            for part in Self.parts {
                if line.hasPrefix("\(Self.metric)_sum{part=\"\(part)\"}") { seconds[part] = value }
                if line.hasPrefix("\(Self.metric)_count{part=\"\(part)\"}") { requests = value }
            }
        }
        guard seconds.count == Self.parts.count else { return nil }
    }

    /// Microseconds of each request since an earlier moment, by part; `nil` where there was none.
    func microsecondsPerRequest(since before: RequestTimes) -> [String: Double]? {
        let count = requests - before.requests
        guard count > 0 else { return nil }
        return seconds.reduce(into: [:]) { result, part in
            result[part.key] = (part.value - (before.seconds[part.key] ?? 0)) / count * 1e6
        }
    }
}

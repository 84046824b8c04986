import ImageModel
import Logging
import RegistryContract
import ServiceKit
import Synchronization
import Testing

/// Clocks that are apart are told of, before they are so far apart that nothing goes any more.
@Suite("Differences of clocks")
struct ClockWatchTests {
    private final class Lines: LogHandler, Sendable {
        let lines = Mutex<[String]>([])
        var metadata: Logger.Metadata {
            get { [:] }
            set {}
        }
        var logLevel: Logger.Level {
            get { .trace }
            set {}
        }

        subscript(metadataKey _: String) -> Logger.Metadata.Value? {
            get { nil }
            set {}
        }

        func log(event: LogEvent) {
            lines.withLock { $0.append("\(event.level) \(event.metadata ?? [:])") }
        }
    }

    private static func difference(_ metrics: PrometheusMetrics) -> Double? {
        let line = metrics.exposition().split(separator: "\n").first {
            $0.hasPrefix(#"registry_clock_difference_seconds{to="api"}"#)
        }
        return line?.split(separator: " ").last.flatMap { Double($0) }
    }

    @Test(
        "requests of an API with another clock are told once, and refused beyond a minute",
        arguments: [(0, true), (50, true), (-50, true), (90, false), (-90, false)]
    )
    func apart(_ seconds: Int64, _ isServed: Bool) async throws {
        try await RegistryUnderTest.withDatabase { registry in
            var registry = registry
            let lines = Lines()
            registry.clockLogger = Logger(label: "clocks") { _ in lines }
            // Both stand still: a busy machine takes its time on the way.
            let time = Timestamp(seconds: 1_800_000_000)
            registry.now = { time.advanced(by: .seconds(seconds)) }
            let port = FreePort.next()
            try await registry.serve(at: .tcp(host: "127.0.0.1", port: port)) {
                for _ in 0..<3 {
                    let image = Image.sample()
                    let body = RegistryRequestTests.envelope(
                        CreateImage(image: image),
                        key: "of-image-\(image.id.text)"
                    )
                    let answer = try await RawRequest("images.create", body, at: time).send(to: port)
                    #expect(answer.status == (isServed ? 200 : 401), "\(answer.body)")
                }
            }
            #expect(try #require(Self.difference(registry.metrics)) == Double(seconds))
            let told = lines.lines.withLock { $0 }
            if seconds == 0 { return }
            #expect(told.count == 1)
            #expect(told.first?.hasPrefix("warning") == true)
            #expect(told.first?.contains("127.0.0.1") == true)
        }
    }
}

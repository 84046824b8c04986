internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

@main
struct GlanceBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "glance-bench",
        abstract: "Measures any image service that speaks the Image API v2, from outside; or two, side by side.",
        usage: "glance-bench --url <url> [options] [<workload> …]",
        discussion: """
            Makes its own images, measures, and removes everything it made, also after Ctrl-C or a failure. Each \
            connection sends its next request when the answer to the last one is complete. With a peer the runs \
            alternate (A B A B), and ratios are printed: the service ÷ its peer. Tombstones remain in a database, so \
            measure services that you can throw away.

            WORKLOADS
            \(Workload.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))
              all: all of these but query (the default)

            EXAMPLES
            What show and list cost, with the CPU of two processes and their children:
              glance-bench --url http://127.0.0.1:9292 --user admin \\
                --password secret --pid 4711,4712 show list
            One upload and many downloads of 256 MiB:
              glance-bench --url http://127.0.0.1:9292 --token t \\
                --size 256MiB upload download
            Two services side by side, and the figures in a file:
              glance-bench --url http://127.0.0.1:9292 --pid 4711,4712 --name ours \\
                --peer-url http://127.0.0.1:9392 --peer-pid 815 \\
                --peer-name theirs --json figures.json all

            Passwords and tokens may come from the environment instead: GLANCE_BENCH_PASSWORD, GLANCE_BENCH_TOKEN, \
            GLANCE_BENCH_PEER_PASSWORD, GLANCE_BENCH_PEER_TOKEN. Exit codes: 0 measured; 1 a service cannot be \
            reached, or one answered errors to every request of a workload; 64 wrong usage; 130 interrupted.
            """
    )

    @Option(
        help: "The service: http://host:port, with a path before /v2 if it has one.",
        transform: ServiceURL.init(parsing:)
    )
    var url: ServiceURL
    @Option(help: "What to call it in the tables.")
    var name = "service"
    @Option(help: "HTTP Basic user.")
    var user: String?
    @Option(help: "HTTP Basic password.")
    var password: String?
    @Option(help: "Sent as X-Auth-Token.")
    var token: String?
    @Option(help: "A header for every request, 'Name: value'. Repeatable.")
    var header: [String] = []
    @Option(help: "Processes whose CPU and memory count, with their descendants; 1,2 or repeated.")
    var pid: [NumberList] = []

    @Option(help: "Another service to measure in turns with the first.", transform: ServiceURL.init(parsing:))
    var peerURL: ServiceURL?
    @Option(help: "What to call it in the tables.")
    var peerName = "peer"
    @Option(help: "HTTP Basic user.")
    var peerUser: String?
    @Option(help: "HTTP Basic password.")
    var peerPassword: String?
    @Option(help: "Sent as X-Auth-Token.")
    var peerToken: String?
    @Option(help: "A header for every request, 'Name: value'. Repeatable.")
    var peerHeader: [String] = []
    @Option(help: "Processes of the peer, as --pid.")
    var peerPid: [NumberList] = []

    @Option(help: "Numbers of connections to measure show, list, create and delete with.")
    var connections = NumberList([1, 16, 64])
    @Option(help: "Numbers of connections to measure upload and download with.")
    var transferConnections = NumberList([1])
    @Option(help: "Length of a run (1 to 600). Requests under way then are waited for, and count.")
    var seconds = 5
    @Option(help: "Runs of each measurement (1 to 100): the median counts.")
    var runs = 3
    @Option(help: "Length of the unmeasured run before the first one, in milliseconds (0 to 60000).")
    var warmUp = 500
    @Option(help: "Images in the catalogue that show and list read (10 to 100000).")
    var images = 1_000
    @Option(
        help: "What the workload query asks for, as in a URL: 'sort=name:asc&tag=a'. It wants no images of its own."
    )
    var query = ""
    @Option(help: "Length of an uploaded image. An upload run sends one on every connection.")
    var size = ByteCount(1 << 30)
    @Option(help: "Threads of this client (1 to 64). More than one takes cores away from the service.")
    var threads = 1
    @Option(help: "Seconds that one request may last (1 to 3600).")
    var timeout = 60
    @Option(help: "Seconds that one upload or download may last (1 to 86400).")
    var transferTimeout = 600
    @Flag(help: "Measure a service on another machine. Only one that is yours.")
    var allowRemote = false
    @Option(help: "Write all figures, of every run, to this file as JSON.")
    var json: String?

    @Argument(help: "What to measure.")
    var workloads: [WorkloadChoice] = []

    func validate() throws {
        func check(_ option: String, _ value: Int, _ range: ClosedRange<Int>) throws {
            guard range.contains(value) else {
                throw ValidationError("\(option) must be from \(range.lowerBound) to \(range.upperBound).")
            }
        }
        try check("--seconds", seconds, 1...600)
        try check("--runs", runs, 1...100)
        try check("--warm-up", warmUp, 0...60_000)
        try check("--images", images, 10...100_000)
        try check("--threads", threads, 1...64)
        try check("--timeout", timeout, 1...3_600)
        try check("--transfer-timeout", transferTimeout, 1...86_400)
        for count in connections.values { try check("--connections", count, 1...1_024) }
        for count in transferConnections.values { try check("--transfer-connections", count, 1...64) }
        guard peerURL != nil || (peerUser == nil && peerToken == nil && peerPid.isEmpty && peerHeader.isEmpty) else {
            throw ValidationError("Options of a peer need --peer-url.")
        }
        guard name != peerName || peerURL == nil else {
            throw ValidationError("--name and --peer-name must differ.")
        }
    }

    func run() throws {
        Interruption.install()
        let machine = Machine.current()
        Console.line(machine.line)
        if machine.isBusy { Console.note("warning: the machine is busy; the figures will be too low") }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let services = try services(group)
        let chosen = Set(workloads.flatMap(\.workloads))
        var report = Report(
            machine: machine,
            services: services.map { .init(name: $0.name, url: $0.url.description, processes: $0.processes) },
            images: images,
            secondsPerRun: seconds,
            clientThreads: threads
        )
        if let json { try TextFile.write([], to: json) }  // Better to find out now than after an hour.
        let benchmark = Benchmark(
            services: services,
            workloads: Workload.allCases.filter { chosen.isEmpty ? $0 != .query : chosen.contains($0) },
            connections: connections.values,
            transferConnections: transferConnections.values,
            secondsPerRun: seconds,
            warmUpMilliseconds: warmUp,
            runs: runs,
            imageCount: images,
            query: query,
            imageByteCount: size.value,
            timeout: .seconds(Int64(timeout)),
            transferTimeout: .seconds(Int64(transferTimeout)),
            group: group
        )
        for service in services { Console.line("\(service.name): \(service.url), \(processText(service))") }
        let result = Result {
            try benchmark.run { figures in
                report.results.append(figures)
                for line in ReportText.lines(figures) { Console.line(line) }
            }
        }
        for line in ReportText.summary(report.results) { Console.line(line) }
        if let json { try write(report, to: json) }
        try finish(result, report)
    }

    private func finish(_ result: Result<Void, any Error>, _ report: Report) throws {
        do {
            try result.get()
        } catch is Interruption {
            Console.note("interrupted")
            throw ExitCode(130)
        }
        for figures in report.results {
            for service in figures.services where service.succeeded == 0 {
                throw BenchError("\(service.service) answered errors to every request of \(figures.workload.rawValue).")
            }
        }
    }

    private func processText(_ service: ServiceUnderTest) -> String {
        service.processes.isEmpty
            ? "no --pid, so no CPU or memory"
            : "processes \(service.processes.map(String.init).joined(separator: ", ")) and their descendants"
    }

    private func write(_ report: Report, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try TextFile.write(encoder.encode(report) + [UInt8(ascii: "\n")], to: path)
    }

    private func services(_ group: MultiThreadedEventLoopGroup) throws -> [ServiceUnderTest] {
        let environment = ProcessInfo.processInfo.environment
        let own = Credentials(
            user: user,
            password: password ?? environment["GLANCE_BENCH_PASSWORD"],
            token: token ?? (user == nil ? environment["GLANCE_BENCH_TOKEN"] : nil),
            headers: header
        )
        var services = [try service(name, url, own, pid, group)]
        if let peerURL {
            let other = Credentials(
                user: peerUser,
                password: peerPassword ?? environment["GLANCE_BENCH_PEER_PASSWORD"],
                token: peerToken ?? (peerUser == nil ? environment["GLANCE_BENCH_PEER_TOKEN"] : nil),
                headers: peerHeader
            )
            services.append(try service(peerName, peerURL, other, peerPid, group))
        }
        return services
    }

    private func service(
        _ name: String,
        _ url: ServiceURL,
        _ credentials: Credentials,
        _ processes: [NumberList],
        _ group: MultiThreadedEventLoopGroup
    ) throws -> ServiceUnderTest {
        let processes = processes.flatMap(\.values)
        _ = try ProcessUsage.of(processes)
        return ServiceUnderTest(
            name: name,
            url: url,
            address: try reachable(url, name, group),
            headers: try credentials.requestHeaders(host: url.authority),
            processes: processes
        )
    }

    /// The first address of the service that accepts a connection.
    private func reachable(
        _ url: ServiceURL,
        _ name: String,
        _ group: MultiThreadedEventLoopGroup
    ) throws -> SocketAddress {
        var reasons: [String] = []
        for address in try url.addresses(allowingRemote: allowRemote) {
            do {
                let channel = try ClientBootstrap(group: group).connectTimeout(.seconds(5)).connect(to: address).wait()
                channel.close(promise: nil)
                return address
            } catch {
                reasons.append(BenchError.reason(error))
            }
        }
        throw BenchError("\(name) at \(url) cannot be reached: \(reasons.joined(separator: "; ")).")
    }
}

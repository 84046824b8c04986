internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Prepares the services, measures them in turns, and leaves them as they were.
struct Benchmark {
    var services: [ServiceUnderTest]
    var workloads: [Workload]
    var connections: [Int]
    var transferConnections: [Int]
    var secondsPerRun: Int
    var warmUpMilliseconds: Int
    var runs: Int
    var imageCount: Int
    /// What the workload `query` asks for.
    var query: String
    var imageByteCount: Int64
    var timeout: TimeAmount
    var transferTimeout: TimeAmount
    var group: MultiThreadedEventLoopGroup

    /// Images that one run of `create` makes at most, and that one run of `delete` has to delete.
    private static let creationLimit = 50_000
    private static let deletionLimit = 500
    private static let pauseMicroseconds = 300_000
    private static let blockByteCount = 1 << 20

    /// The figures go to `found` as they come, so that an interruption loses none of them.
    ///
    /// - Throws: after everything that was made is removed, or is named as left behind.
    func run(found: (WorkloadFigures) -> Void) throws {
        let mark = "glance-bench-" + ImageIdentifier.random().prefix(8)
        let generator = LoadGenerator(group: group)
        var catalogues = services.map {
            Catalogue(
                service: $0,
                mark: mark,
                generator: generator,
                timeout: timeout,
                transferTimeout: transferTimeout
            )
        }
        for catalogue in catalogues { try catalogue.probe() }
        Console.note("every image that is made has the tag \(mark)")
        let result = Result { try measure(&catalogues, generator, found: found) }
        try clean(catalogues, after: result)
        try result.get()
    }

    private func measure(
        _ catalogues: inout [Catalogue],
        _ generator: LoadGenerator,
        found: (WorkloadFigures) -> Void
    ) throws {
        let block = Self.randomBlock()
        try prepare(&catalogues, block: block)
        for workload in workloads {
            for connections in workload.isTransfer ? transferConnections : self.connections {
                let trial = Trial(workload: workload, connections: connections, block: block)
                found(try measure(trial, catalogues, generator))
            }
        }
    }

    private func prepare(_ catalogues: inout [Catalogue], block: ByteBuffer) throws {
        for index in catalogues.indices {
            let name = catalogues[index].service.name
            if workloads.contains(where: \.readsCatalogue) {
                Console.note("making \(imageCount) images on \(name)")
                try catalogues[index].fill(count: imageCount)
            }
            if workloads.contains(.download) {
                Console.note("uploading an image of \(ByteCount(imageByteCount).description) to \(name)")
                try catalogues[index].fillImage(block: block, byteCount: imageByteCount)
            }
        }
    }

    private struct Trial {
        var workload: Workload
        var connections: Int
        var block: ByteBuffer
    }

    /// A B A B …, after a warm-up of each.
    private func measure(
        _ trial: Trial,
        _ catalogues: [Catalogue],
        _ generator: LoadGenerator
    ) throws -> WorkloadFigures {
        Console.note("measuring \(trial.workload.rawValue) with \(Figure.connections(trial.connections))")
        for catalogue in catalogues {
            try checkAnswer(of: trial.workload, catalogue)
            if warmUpMilliseconds > 0, !trial.workload.isTransfer, trial.workload != .delete {
                _ = try measure(trial, catalogue, generator, for: .milliseconds(Int64(warmUpMilliseconds)))
            }
        }
        var measurements = [[Measurement]](repeating: [], count: catalogues.count)
        for _ in 0..<runs {
            for (index, catalogue) in catalogues.enumerated() {
                usleep(UInt32(Self.pauseMicroseconds))
                let one = try measure(trial, catalogue, generator, for: .seconds(Int64(secondsPerRun)))
                if !one.tally.errors.isEmpty {
                    Console.note("warning: \(catalogue.service.name) answered errors: \(one.tally.errorSentence)")
                }
                measurements[index].append(one)
            }
        }
        let isTransfer = trial.workload.isTransfer
        return WorkloadFigures(
            workload: trial.workload,
            connections: trial.connections,
            imageBytes: isTransfer ? imageByteCount : nil,
            services: zip(catalogues, measurements).map {
                ServiceFigures(service: $0.service.name, measurements: $1, isTransfer: isTransfer)
            }
        )
    }

    /// One run, and the removal of what it made.
    private func measure(
        _ trial: Trial,
        _ catalogue: Catalogue,
        _ generator: LoadGenerator,
        for duration: TimeAmount
    ) throws -> Measurement {
        let load = try load(trial, catalogue, for: duration)
        let before = try RequestTimes.of(catalogue.service, generator)
        var measurement = try generator.run(load, connections: trial.connections, on: catalogue.service)
        if let before, let after = try RequestTimes.of(catalogue.service, generator) {
            measurement.requestTimes = after.microsecondsPerRequest(since: before)
        }
        try Interruption.check()
        try catalogue.removeLeavings()
        try Interruption.check()
        return measurement
    }

    private func load(_ trial: Trial, _ catalogue: Catalogue, for duration: TimeAmount) throws -> Load {
        let requests = catalogue.requests
        switch trial.workload {
        case .show, .list, .listByName, .listByTag, .listByProperty, .listSorted, .list1000, .query:
            return .repeating(reads(of: trial.workload, catalogue), for: duration, timeout: timeout)
        case .create:
            return catalogue.creations(for: duration, upTo: Self.creationLimit)
        case .change:
            return .repeating(catalogue.images.map(requests.change), for: duration, timeout: timeout)
        case .delete:
            let images = try catalogue.make(count: Self.deletionLimit)
            return .once(images.map(requests.delete), within: duration, timeout: timeout)
        case .upload:
            let images = try catalogue.make(count: trial.connections)
            let uploads = images.map { requests.upload($0, block: trial.block, byteCount: imageByteCount) }
            return .once(uploads, within: transferTimeout, timeout: transferTimeout)
        case .download:
            let downloads = [catalogue.filledImage].compactMap { $0 }
                .map { requests.download($0, byteCount: imageByteCount) }
            return .repeating(downloads, for: duration, timeout: transferTimeout)
        }
    }

    private func reads(of workload: Workload, _ catalogue: Catalogue) -> [ServiceRequest] {
        let requests = catalogue.requests
        let mark = requests.mark
        let groups = 0..<min(ImageRequests.groupCount, imageCount)
        return switch workload {
        case .show: catalogue.images.map(requests.show)
        case .list: [requests.list("limit=25")]
        case .listByName: catalogue.images.indices.map { requests.list("limit=25&name=\(requests.name($0))") }
        case .listByTag: groups.map { requests.list("limit=25&tag=\(requests.groupTag($0))") }
        case .listByProperty:
            groups.map { requests.list("limit=25&bench_run=\(mark)&bench_group=\(requests.group($0))") }
        case .listSorted: [requests.list("limit=25&bench_run=\(mark)&sort=name:asc")]
        case .list1000: [requests.list("limit=1000")]
        case .query: [requests.list("limit=25\(query.isEmpty ? "" : "&\(query)")")]
        case .create, .change, .delete, .upload, .download: []
        }
    }

    /// A list that answers fewer images than it should is fast for the wrong reason.
    private func checkAnswer(of workload: Workload, _ catalogue: Catalogue) throws {
        let expected =
            switch workload {
            case .show, .listByName: 1
            case .list, .listSorted: min(25, imageCount)
            case .listByTag, .listByProperty: min(25, imageCount / ImageRequests.groupCount)
            case .list1000: min(1_000, imageCount)
            case .query, .create, .change, .delete, .upload, .download: 0
            }
        guard let request = reads(of: workload, catalogue).first else { return }
        let count = try catalogue.imageCount(inAnswerTo: request)
        guard count < expected else { return }
        throw BenchError(
            "\(catalogue.service.name) answered \(count) images to GET \(request.head.uri), where \(expected) or more "
                + "were expected: its figures would mean nothing."
        )
    }

    private func clean(_ catalogues: [Catalogue], after result: Result<Void, any Error>) throws {
        guard catalogues.contains(where: { !$0.service.ledger.all.isEmpty }) else { return }
        Interruption.reset()  // A second Ctrl-C ends the removal too.
        Console.note("removing the images")
        var complaints: [String] = []
        if case .failure(let error) = result, !(error is Interruption) { complaints.append("\(error)") }
        let before = complaints.count
        for catalogue in catalogues {
            do {
                try catalogue.removeAll()
            } catch {
                complaints.append("\(error)")
            }
        }
        if complaints.count > before { throw BenchError(complaints.joined(separator: "\n")) }
    }

    /// Cannot be compressed, and is no pattern that a file system or a deduplicating store would know.
    private static func randomBlock() -> ByteBuffer {
        var block = ByteBuffer()
        block.reserveCapacity(blockByteCount)
        for _ in 0..<blockByteCount / 8 { block.writeInteger(UInt64.random(in: .min ... .max)) }
        return block
    }
}

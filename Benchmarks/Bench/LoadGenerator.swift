internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Runs loads with the program's client threads, and watches the service's processes meanwhile.
struct LoadGenerator {
    let group: MultiThreadedEventLoopGroup

    private static let pollMicroseconds: UInt32 = 10_000
    /// Memory is sampled every so many polls.
    private static let pollsPerSample = 20

    /// Blocks until the load is done. Interrupted, it returns early with what there is.
    /// - Throws: if not every connection can be opened, or a process to watch is not there.
    func run(_ load: Load, connections: Int, on service: ServiceUnderTest) throws -> Measurement {
        let clients = try open(connections, to: service)
        defer { for client in clients { client.eventLoop.execute { client.value.close() } } }

        let before = try ProcessUsage.of(service.processes)
        let ownBefore = ProcessUsage.ownCPUSeconds()
        let start = NIODeadline.now()
        let finished = Finished()
        let runs = clients.map { client in client.eventLoop.flatSubmit { client.value.run(load) } }
        EventLoopFuture.whenAllSucceed(runs, on: group.any()).whenComplete { finished.set($0) }

        var sampled = 0
        var polls = 0
        while finished.value == nil {
            if polls.isMultiple(of: Self.pollsPerSample) {
                sampled = max(sampled, ProcessUsage.residentByteCount(of: before.processes))
            }
            polls += 1
            usleep(Self.pollMicroseconds)
        }
        let ownAfter = ProcessUsage.ownCPUSeconds()
        let after = try ProcessUsage.of(service.processes)

        var tally = Tally()
        for one in try finished.value?.get() ?? [] { tally.merge(one) }
        var measurement = Measurement(
            tally: tally,
            seconds: Double(max((tally.lastEnded - start).nanoseconds, 1)) / 1e9,
            clientCPUSeconds: ownAfter - ownBefore
        )
        if !service.processes.isEmpty {
            measurement.serviceCPUSeconds = after.cpuSeconds - before.cpuSeconds
            measurement.sampledByteCount = max(sampled, ProcessUsage.residentByteCount(of: after.processes))
            measurement.peakByteCount = ProcessUsage.peakByteCount(of: after.processes)
            measurement.proportionalByteCount = ProcessUsage.proportionalByteCount(of: after.processes)
        }
        return measurement
    }

    private func open(_ count: Int, to service: ServiceUnderTest) throws -> [NIOLoopBound<ClosedLoopClient>] {
        let address = service.address
        let clients = try (0..<count).map { _ in
            let eventLoop = group.next()
            return try eventLoop.submit {
                NIOLoopBound(ClosedLoopClient(eventLoop: eventLoop, address: address), eventLoop: eventLoop)
            }.wait()
        }
        do {
            for client in clients { try client.eventLoop.flatSubmit { client.value.open() }.wait() }
        } catch {
            for client in clients { client.eventLoop.execute { client.value.close() } }
            throw BenchError("\(service.name) at \(service.url) cannot be reached: \(BenchError.reason(error)).")
        }
        return clients
    }

    private final class Finished: Sendable {
        private let state = Mutex<Result<[Tally], any Error>?>(nil)
        var value: Result<[Tally], any Error>? { state.withLock { $0 } }
        func set(_ result: Result<[Tally], any Error>) { state.withLock { $0 = result } }
    }
}

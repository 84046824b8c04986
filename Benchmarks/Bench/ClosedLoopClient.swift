internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// One client: one kept-alive connection, at most one request under way, the next as soon as the answer is there.
///
/// Belongs to one event loop; every method is called there.
final class ClosedLoopClient {
    private static let connectTimeout = TimeAmount.seconds(10)
    /// How often a time-out or an interruption is looked for.
    private static let watchInterval = TimeAmount.milliseconds(100)
    private static let pauseAfterRefusal = TimeAmount.milliseconds(50)
    private static let refusalLimit = 20
    /// A connection that has seen only errors gives up after so many.
    private static let hopelessErrorCount = 1_000

    private let eventLoop: any EventLoop
    private let address: SocketAddress
    private var handler: ExchangeHandler?
    private var tally = Tally()
    private var refusals = 0
    private var load: Load?
    private var lastBegin = NIODeadline.now()
    private var done: EventLoopPromise<Tally>?

    init(eventLoop: any EventLoop, address: SocketAddress) {
        self.eventLoop = eventLoop
        self.address = address
    }

    /// Connects; the clock of a run starts afterwards.
    func open() -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        connect { promise.completeWith($0) }
        return promise.futureResult
    }

    func close() { handler?.close() }

    func run(_ load: Load) -> EventLoopFuture<Tally> {
        let promise = eventLoop.makePromise(of: Tally.self)
        self.load = load
        lastBegin = .now() + load.duration
        done = promise
        watch()
        next()
        return promise.futureResult
    }

    private func next() {
        guard let load, !Interruption.isRequested, .now() < lastBegin, refusals < Self.refusalLimit,
            tally.succeeded > 0 || tally.failed < Self.hopelessErrorCount, let request = load.next()
        else { return finish() }
        begin(request, load, at: .now(), isRepeat: false)
    }

    private func begin(_ request: ServiceRequest, _ load: Load, at start: NIODeadline, isRepeat: Bool) {
        guard let handler, handler.isReady else {
            return reopen(for: request, load, at: start, isRepeat: isRepeat)
        }
        handler.send(request, deadline: start + load.timeout) { outcome in
            if outcome.wasNeverAnswered, request.mayRepeat, !isRepeat {
                self.begin(request, load, at: start, isRepeat: true)
            } else {
                self.end(outcome, of: request, load, begunAt: start)
            }
        }
    }

    private func reopen(for request: ServiceRequest, _ load: Load, at start: NIODeadline, isRepeat: Bool) {
        tally.reopened += 1
        connect { result in
            switch result {
            case .success:
                self.refusals = 0
                // A connection that is closed as soon as it is open must not be opened for ever.
                guard self.handler?.isReady == true else {
                    return self.end(Outcome(failure: .closed), of: request, load, begunAt: start)
                }
                self.begin(request, load, at: start, isRepeat: isRepeat)
            case .failure:
                self.refusals += 1
                _ = self.eventLoop.assumeIsolated().scheduleTask(in: Self.pauseAfterRefusal) {
                    self.end(Outcome(failure: .refused), of: request, load, begunAt: start)
                }
            }
        }
    }

    private func end(_ outcome: Outcome, of request: ServiceRequest, _ load: Load, begunAt start: NIODeadline) {
        let now = NIODeadline.now()
        tally.record(outcome, of: request, nanoseconds: (now - start).nanoseconds, endedAt: now)
        load.ended?(request, outcome)
        next()
    }

    private func finish() {
        load = nil
        done?.succeed(tally)
        done = nil
    }

    private func watch() {
        guard load != nil else { return }
        _ = eventLoop.assumeIsolated().scheduleTask(in: Self.watchInterval) {
            self.handler?.abandon(at: .now())
            self.watch()
        }
    }

    private func connect(_ completion: @escaping (Result<Void, any Error>) -> Void) {
        ClientBootstrap(group: eventLoop)
            .connectTimeout(Self.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 4_096, initial: 16_384, maximum: 262_144)
            )
            .channelOption(.writeBufferWaterMark, value: .init(low: 1 << 20, high: 4 << 20))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(ExchangeHandler())
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenComplete { result in
                completion(
                    result.flatMap { channel in
                        Result {
                            self.handler = try channel.pipeline.syncOperations.handler(type: ExchangeHandler.self)
                        }
                    }
                )
            }
    }
}

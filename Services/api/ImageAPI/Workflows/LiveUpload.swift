internal import DataUpkeep
internal import ImageModel
internal import RegistryContract
internal import StoreLayer
internal import Synchronization

/// An upload session whose bytes this process has open. Requests come and go; what was begun for one of them is done to its
/// end, whether or not the client still waits.
///
/// Bytes come, or the upload is being finished, never both: finishing begins when no request brings bytes any more, and none
/// does from then on, unless it fails.
final class LiveUpload: Sendable {
    let image: ImageID
    let location: IntendedLocation
    let store: any ResumableStore
    let data: ResumableUpload
    private let registry: any RegistryClient
    private let holder: Holder
    private let patience: Duration
    private let state: Mutex<State>

    private struct Append {
        var number: Int
        var task: Task<Void, any Error>
    }

    private struct State {
        /// By the part that they bring bytes of.
        var appends: [Int: Append] = [:]
        var appendCount = 0
        /// Those that had to make way for another request.
        var overtaken: Set<Int> = []
        var finishing: Task<Void, any Error>?
        var isFinished = false
        /// The session is over, in whatever way.
        var isOver = false
        /// Records are made one after the other, so that none is followed by an older one.
        var recording: Task<SessionLease, any Error>?
        var recorded: ByteRanges?
        var lease: Lease

        /// - Throws: why no request may bring bytes of a part now.
        func requireRoom(_ part: Int) throws(ServiceError) {
            guard !isFinished, !isOver else { throw LiveUpload.isOver }
            guard finishing == nil else {
                throw ServiceError(.conflict, "The upload is being finished; ask for its offset.")
            }
            guard appends[part] == nil else {
                throw ServiceError(.conflict, "Another request brings bytes of this upload; try again later.")
            }
        }

        mutating func overtake(_ part: Int) -> [Task<Void, any Error>] {
            guard let append = appends[part] else { return [] }
            overtaken.insert(append.number)
            return [append.task]
        }

        mutating func overtakeAll() -> [Task<Void, any Error>] { appends.keys.flatMap { overtake($0) } }
    }

    /// Until when the registry keeps the session, by a clock that goes on while the machine sleeps.
    struct Lease {
        /// A moment before it was granted: it ends there no earlier than here.
        var requestedAt: ContinuousClock.Instant
        var duration: Duration

        var isHeld: Bool { ContinuousClock.now < requestedAt + duration }
        /// A third of its time is over.
        var isDue: Bool { ContinuousClock.now > requestedAt + duration / 3 }
    }

    /// - Parameter patience: How long a request waits for the one before it to let go of the same part.
    init(
        image: ImageID,
        location: IntendedLocation,
        store: any ResumableStore,
        data: ResumableUpload,
        lease: Lease,
        registry: any RegistryClient,
        holder: Holder,
        patience: Duration = .seconds(10)
    ) {
        self.image = image
        self.location = location
        self.store = store
        self.data = data
        self.registry = registry
        self.holder = holder
        self.patience = patience
        state = Mutex(State(lease: lease))
    }

    var isIdle: Bool { state.withLock { $0.appends.isEmpty && $0.finishing == nil } }

    private static let isOver = ServiceError(.gone, "The upload has ended.")

    // MARK: Requests

    /// Ends a request that brings bytes of a part: its client has come back with another one, and may not know that the
    /// first connection is dead.
    ///
    /// - Throws: `conflict` where it does not end in time.
    func takeOver(_ part: Int) async throws(ServiceError) { try await stop { $0.overtake(part) } }

    private func stop(_ overtaken: (inout State) -> [Task<Void, any Error>]) async throws(ServiceError) {
        let deadline = ContinuousClock.now + patience
        while true {
            let running = state.withLock { overtaken(&$0) }
            if running.isEmpty { return }
            for append in running { append.cancel() }
            guard ContinuousClock.now < deadline else {
                throw ServiceError(.conflict, "Another request brings bytes of this upload; try again later.")
            }
            // Cancelled: the next look is at once, and the deadline is near.
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Brings bytes of a part, one request at a time.
    ///
    /// - Throws: `conflict` while another request does or the upload is finished, or when another one took over; `gone` once
    ///   it is over.
    func append(_ part: Int, _ work: @escaping @Sendable () async throws -> Void) async throws {
        let running: Append = try state.withLock { state in
            try state.requireRoom(part)
            // Another request has to be able to cancel it: see `takeOver`.
            let task = Task {
                defer { self.state.withLock { $0.appends[part] = nil } }
                try await work()
            }
            state.appendCount += 1
            let append = Append(number: state.appendCount, task: task)
            state.appends[part] = append
            return append
        }
        do {
            try await withTaskCancellationHandler {
                try await running.task.value
            } onCancel: {
                running.task.cancel()
            }
        } catch {
            let (wasOvertaken, isOver) = state.withLock { state in
                (state.overtaken.remove(running.number) != nil, state.isOver)
            }
            if isOver { throw Self.isOver }
            // Its client may be there still, and be the one that is right: told so, it asks for the offset and goes on.
            guard wasOvertaken else { throw error }
            throw ServiceError(.conflict, "Another request took over this upload; ask for its offset.", cause: error)
        }
        state.withLock { _ = $0.overtaken.remove(running.number) }
    }

    /// Does what ends the upload, once, after whatever still brings bytes was stopped: whoever asks meanwhile waits for the
    /// same outcome, and is told of it later.
    ///
    /// - Returns: Whether `work` was done for this call, and not for another one.
    /// - Throws: what `work` throws; `conflict` where a request that brings bytes does not end in time.
    func finish(_ work: @escaping @Sendable () async throws -> Void) async throws -> Bool {
        let (task, isMine): (Task<Void, any Error>?, Bool) = state.withLock { state in
            if state.isFinished { return (nil, false) }
            if let running = state.finishing { return (running, false) }
            // Of no request alone: whoever goes away must not end it for the others.
            let task = Task {
                defer { self.state.withLock { $0.finishing = nil } }
                // None comes after these: see `State.requireRoom`.
                try await self.stop { $0.overtakeAll() }
                try await work()
                self.state.withLock { $0.isFinished = true }
            }
            state.finishing = task
            return (task, true)
        }
        try await task?.value
        return isMine
    }

    /// Stops whatever still brings bytes.
    ///
    /// - Parameter isOver: The session is: nobody goes on with it here or elsewhere.
    func interrupt(isOver: Bool) {
        data.close()
        let appends = state.withLock { state in
            if isOver { state.isOver = true }
            return Array(state.appends.values)
        }
        for append in appends { append.task.cancel() }
    }

    // MARK: Recording

    /// Makes durable what has come and tells the registry of it, which is the session's sign of life too.
    ///
    /// - Parameters:
    ///   - digests: What is expected of the whole, besides what was said before.
    ///   - byteCount: Length of all parts, where no other may be added from here on.
    /// - Throws: `conflict` where one was; `invalidRequest` where another digest was expected; `gone` once the session is over.
    @discardableResult
    func record(
        declaring digests: ExpectedDigests = ExpectedDigests(),
        closing byteCount: Int64? = nil,
        requestID: String
    ) async throws -> SessionLease {
        let task = state.withLock { state in
            let before = state.recording
            // One after another, and to its end: what is durable is to be known even where its request went away.
            let task = Task {
                _ = await before?.result
                return try await syncAndRecord(digests, byteCount, requestID)
            }
            state.recording = task
            return task
        }
        return try await task.value
    }

    private func syncAndRecord(
        _ digests: ExpectedDigests,
        _ closing: Int64?,
        _ requestID: String
    ) async throws -> SessionLease {
        let received: ByteRanges
        do throws(StoreError) {
            received = try await data.sync()
        } catch {
            throw ServiceError(error)
        }
        let requestedAt = ContinuousClock.now
        let granted = try await registry.ask(
            RecordSession(
                attempt: location.attempt,
                holder: holder,
                received: received.ranges,
                closing: closing,
                digests: digests.recorded
            ),
            as: .service,
            requestID: requestID
        )
        state.withLock { state in
            state.recorded = received
            state.lease = Lease(requestedAt: requestedAt, duration: .seconds(granted.leaseSeconds))
        }
        return granted
    }

    /// Records unless the registry knows all that has come.
    func recordNews(requestID: String) async throws {
        if state.withLock({ $0.recorded }) != data.received { try await record(requestID: requestID) }
    }

    /// Whether the session lives on, so that its data may be published.
    var isHeld: Bool { state.withLock { $0.lease.isHeld } }

    func requireHeld(requestID: String) async throws {
        if !isHeld { try await record(requestID: requestID) }
    }

    /// Keeps the session alive while a request does its work on it, however long that takes.
    ///
    /// - Parameter isAtWork: Whether something came or was done since a moment: otherwise the session ends in its time.
    func keepingAlive<Value: Sendable>(
        requestID: String,
        whenever isAtWork: @escaping @Sendable (_ since: ContinuousClock.Instant) -> Bool,
        _ work: () async throws -> Value
    ) async throws -> Value {
        let renewal = Task {
            while !Task.isCancelled {
                let lease = state.withLock { $0.lease }
                if lease.isDue, isAtWork(lease.requestedAt) {
                    // Without an answer the next round is soon; where the session is over, the work finds out.
                    _ = try? await record(requestID: requestID)
                }
                // Cancelled when the work is done: the loop ends.
                try? await Task.sleep(for: min(max(lease.duration / 20, .milliseconds(20)), .seconds(10)))
            }
        }
        defer { renewal.cancel() }
        return try await work()
    }
}

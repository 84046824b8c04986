internal import DataUpkeep
internal import ImageModel
internal import RegistryContract
internal import StoreLayer
internal import Synchronization

/// An upload session whose bytes this process has open. Requests come and go; what was begun for one of them is done to its
/// end, whether or not the client still waits.
final class LiveUpload: Sendable {
    /// How long a request waits for the one before it to let go of the same part.
    private static let patience = Duration.seconds(10)

    let image: ImageID
    let location: IntendedLocation
    let store: any ResumableStore
    let data: ResumableUpload
    private let registry: any RegistryClient
    private let holder: Holder
    private let state = Mutex(State())

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
        /// Records are made one after the other, so that none is followed by an older one.
        var recording: Task<SessionLease, any Error>?
        var recorded: ByteRanges?
        var lease: UploadLease?

        mutating func overtake(_ part: Int) -> Task<Void, any Error>? {
            guard let append = appends[part] else { return nil }
            overtaken.insert(append.number)
            return append.task
        }
    }

    init(
        image: ImageID,
        location: IntendedLocation,
        store: any ResumableStore,
        data: ResumableUpload,
        registry: any RegistryClient,
        holder: Holder
    ) {
        self.image = image
        self.location = location
        self.store = store
        self.data = data
        self.registry = registry
        self.holder = holder
    }

    var isIdle: Bool { state.withLock { $0.appends.isEmpty && $0.finishing == nil } }

    // MARK: Recording

    /// Makes durable what has come and tells the registry of it, which is the session's sign of life too.
    @discardableResult
    func record(requestID: String) async throws -> SessionLease {
        let task = state.withLock { state in
            let before = state.recording
            // One after another, and to its end: what is durable is to be known even where its request went away.
            let task = Task {
                _ = await before?.result
                return try await syncAndRecord(requestID)
            }
            state.recording = task
            return task
        }
        return try await task.value
    }

    private func syncAndRecord(_ requestID: String) async throws -> SessionLease {
        let received: ByteRanges
        do throws(StoreError) {
            received = try await data.sync()
        } catch {
            throw ServiceError(error)
        }
        let requestedAt = ContinuousClock.now
        let granted = try await registry.ask(
            RecordSession(attempt: location.attempt, holder: holder, received: received.ranges),
            as: .service,
            requestID: requestID
        )
        let lease = UploadLease(
            attempt: location.attempt,
            requestedAt: requestedAt,
            duration: .seconds(granted.leaseSeconds)
        )
        state.withLock { state in
            state.recorded = received
            state.lease = lease
        }
        return granted
    }

    /// Records unless the registry knows all that has come.
    func recordNews(requestID: String) async throws {
        if state.withLock({ $0.recorded }) != data.received { try await record(requestID: requestID) }
    }

    /// The session's lease, of which there is enough left to publish.
    func heldLease(requestID: String) async throws -> UploadLease {
        if let lease = state.withLock({ $0.lease }), lease.isHeld { return lease }
        try await record(requestID: requestID)
        guard let lease = state.withLock({ $0.lease }) else {
            throw ServiceError(.unavailable, "The upload could not be recorded; try again later.")
        }
        return lease
    }

    // MARK: Requests

    /// Ends a request that brings bytes of a part: its client has come back with another one, and may not know that the
    /// first connection is dead.
    ///
    /// - Throws: `conflict` where it does not end in time.
    func takeOver(_ part: Int) async throws(ServiceError) {
        let deadline = ContinuousClock.now + Self.patience
        while let running = state.withLock({ $0.overtake(part) }) {
            running.cancel()
            guard ContinuousClock.now < deadline else {
                throw ServiceError(.conflict, "Another request brings bytes of this upload; try again later.")
            }
            // Cancelled: the next look is at once, and the deadline is near.
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Brings bytes of a part, one request at a time.
    ///
    /// - Throws: `conflict` while another request does, or when another one took over.
    func append(_ part: Int, _ work: @escaping @Sendable () async throws -> Void) async throws {
        let running: Append = try state.withLock { state in
            guard state.appends[part] == nil, state.finishing == nil else {
                throw ServiceError(.conflict, "Another request brings bytes of this upload; try again later.")
            }
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
            // Its client may be there still, and be the one that is right: told so, it asks for the offset and goes on.
            guard state.withLock({ $0.overtaken.remove(running.number) }) != nil else { throw error }
            throw ServiceError(.conflict, "Another request took over this upload; ask for its offset.", cause: error)
        }
        state.withLock { _ = $0.overtaken.remove(running.number) }
    }

    /// Does what ends the upload, once: whoever asks meanwhile waits for the same outcome, and is told of it later.
    func finish(_ work: @escaping @Sendable () async throws -> Void) async throws {
        let task: Task<Void, any Error>? = state.withLock { state in
            if state.isFinished { return nil }
            if let running = state.finishing { return running }
            // Of no request alone: whoever goes away must not end it for the others.
            let task = Task {
                defer { self.state.withLock { $0.finishing = nil } }
                try await work()
                self.state.withLock { $0.isFinished = true }
            }
            state.finishing = task
            return task
        }
        try await task?.value
    }

    /// Stops whatever still brings bytes.
    func interrupt() {
        data.close()
        for append in state.withLock({ Array($0.appends.values) }) { append.task.cancel() }
    }
}

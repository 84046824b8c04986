internal import Digests
public import ImageModel
internal import RegistryContract
public import RegistryDatabase
internal import WireJSON

/// What an operation's handler works with.
public struct RegistryContext: Sendable {
    public var database: any Database
    /// How long an upload may go without renewing its lease.
    public var uploadLease: Duration
    /// How long an upload session may go without anything coming.
    public var sessionLease: Duration
    /// How long a node that took a deletion has before another may take it.
    public var deletionClaim = Duration.seconds(60)
    /// How long a copy that a scrubber verifies is its own, unless it renews that.
    public var verificationClaim = Duration.seconds(60)
    /// How long a copy that could not be read is left alone.
    public var verificationPause = Duration.seconds(600)
    /// How long a list may keep a connection that reads. Less than half of a read's patience in glance-api, which would
    /// otherwise ask again meanwhile.
    public var listTimeout: Duration
    /// What is recorded: leases, and the times that users see. The same for all registries of a database.
    public var now: @Sendable () -> Timestamp
    /// This machine's clock, by which signatures are fresh: that has nothing to do with the database.
    public var ownNow: @Sendable () -> Timestamp

    public init(
        database: any Database,
        uploadLease: Duration,
        sessionLease: Duration = .seconds(86_400),
        listTimeout: Duration = .seconds(3),
        now: @escaping @Sendable () -> Timestamp,
        ownNow: (@Sendable () -> Timestamp)? = nil
    ) {
        self.database = database
        self.uploadLease = uploadLease
        self.sessionLease = sessionLease
        self.listTimeout = listTimeout
        self.now = now
        self.ownNow = ownNow ?? now
    }
}

/// The body of one operation: what it does inside its one transaction.
struct RegistryHandler<Operation: RegistryOperation>: Sendable {
    private let write:
        @Sendable (Operation, Caller, any SQLConnection, RegistryContext, inout JSONWriter) throws -> Void

    init(
        _ run: @escaping @Sendable (Operation, Caller, any SQLConnection, RegistryContext) throws -> Operation.Response
    ) {
        write = { operation, caller, connection, context, writer in
            try run(operation, caller, connection, context).write(to: &writer)
        }
    }

    /// For what is read most: writes the text of the answer without making the answer.
    init(
        writing write:
            @escaping @Sendable (Operation, Caller, any SQLConnection, RegistryContext, inout JSONWriter) throws -> Void
    ) {
        self.write = write
    }

    /// - Returns: the text of the answer.
    func run(
        _ envelope: RegistryEnvelope<Operation>,
        _ connection: any SQLConnection,
        _ context: RegistryContext
    ) throws -> [UInt8] {
        var writer = JSONWriter()
        try write(envelope.arguments, envelope.caller, connection, context, &writer)
        return writer.bytes
    }
}

/// The operations by name. The only list of them: what is not here does not exist.
struct RegistryHandlers: Sendable {
    struct Exchange: Sendable {
        /// What the operation does to the database.
        var effect: RegistryEffect
        /// Runs it from the bytes of its envelope to the bytes of its answer.
        var run:
            @Sendable (_ body: [UInt8], _ context: RegistryContext, _ waiter: Waiter?) async throws -> ExchangeResult
    }

    struct ExchangeResult: Sendable {
        var answer: [UInt8]
        var requestID: String
        var caller: Caller
    }

    private(set) var exchanges: [String: Exchange] = [:]

    static let all: RegistryHandlers = {
        var handlers = RegistryHandlers()
        handlers.add(showImage)
        handlers.add(listImages)
        handlers.add(createImage)
        handlers.add(updateImage)
        handlers.add(deleteImage)
        handlers.add(restoreImage)
        handlers.add(listImageTasks)
        handlers.add(relocateImage)
        handlers.add(recordDigests)
        handlers.add(listMembers)
        handlers.add(showMember)
        handlers.add(addMember)
        handlers.add(updateMember)
        handlers.add(removeMember)
        handlers.add(beginStaging)
        handlers.add(finishStaging)
        handlers.add(listMetadefs)
        handlers.add(showMetadefs)
        handlers.add(createMetadefs)
        handlers.add(updateMetadefs)
        handlers.add(deleteMetadefs)
        handlers.add(changeMetadefs)
        handlers.add(findDefinitions)
        handlers.add(listResourceTypes)
        handlers.add(beginUpload)
        handlers.add(renewUploads)
        handlers.add(reserveUpload)
        handlers.add(showUsage)
        handlers.add(finishUpload)
        handlers.add(abortUpload)
        handlers.add(listProcesses)
        handlers.add(releaseUploads)
        handlers.add(checkAttempts)
        handlers.add(beginSession)
        handlers.add(extendSession)
        handlers.add(showSession)
        handlers.add(recordSession)
        handlers.add(claimDeletions)
        handlers.add(finishDeletions)
        handlers.add(postponeDeletions)
        handlers.add(withdrawDeletions)
        handlers.add(undeleteImage)
        handlers.add(claimScrubs)
        handlers.add(claimVerification)
        handlers.add(renewVerification)
        handlers.add(recordVerification)
        handlers.add(listDamage)
        return handlers
    }()

    private mutating func add<Operation: RegistryOperation>(_ handler: RegistryHandler<Operation>) {
        exchanges[Operation.name] = Exchange(effect: Operation.effect) { body, context, waiter in
            let (envelope, binding) = try Self.envelope(of: Operation.self, body)
            let answer: [UInt8] =
                switch Operation.effect {
                case .reads:
                    try await context.database.read(for: waiter) { connection in
                        try handler.run(envelope, connection, context)
                    }
                case .repeatable:
                    try await context.database.write(for: waiter) { connection in
                        try handler.run(envelope, connection, context)
                    }
                case .once:
                    try await Self.once(envelope, binding, context, waiter, handler)
                }
            return ExchangeResult(answer: answer, requestID: envelope.requestID, caller: envelope.caller)
        }
    }

    /// Applies a write unless its key was applied before; the key is recorded in the transaction of the write itself.
    private static func once<Operation: RegistryOperation>(
        _ envelope: RegistryEnvelope<Operation>,
        _ binding: String,
        _ context: RegistryContext,
        _ waiter: Waiter?,
        _ handler: RegistryHandler<Operation>
    ) async throws -> [UInt8] {
        guard let key = envelope.idempotencyKey, (16...64).contains(key.utf8.count) else {
            throw RegistryError(.malformed, "This operation needs an idempotency key", field: "key")
        }
        return try await context.database.write(for: waiter) { connection in
            let applied = AppliedWriteTable(connection)
            // Before the write itself, so that a repetition that comes while the first is still being committed waits for
            // it instead of meeting what it did.
            if let answer = try applied.claim(key, binding: binding, at: context.now()) { return answer }
            let answer = try handler.run(envelope, connection, context)
            try applied.record(answer, for: key)
            return answer
        }
    }

    /// What a key stands for: this operation with these arguments by this caller, whatever request it came in.
    ///
    /// Taken from what came, not from what was read of it: a record holds dictionaries, which each process, and each copy,
    /// would write in another order; and a registry of another release may read less.
    private static func binding(of operation: String, _ envelope: JSONValue) -> String {
        var writer = JSONWriter()
        let parts = ["caller", "arguments"].map { envelope.objectValue?[$0] ?? .null }
        writer.array([.string(operation)] + parts) { $0.value($1) }
        return Digest.of(writer.bytes).description
    }

    private static func envelope<Operation: RegistryOperation>(
        of: Operation.Type,
        _ body: [UInt8]
    ) throws -> (RegistryEnvelope<Operation>, binding: String) {
        do {
            let json = try JSONValue(parsing: body)
            let envelope = try RegistryEnvelope<Operation>(json: json)
            return (envelope, Operation.effect == .once ? binding(of: Operation.name, json) : "")
        } catch let error as JSONShapeError {
            throw RegistryError(.malformed, "\(error.member) \(error.reason)", field: error.member)
        } catch let error as JSONSyntaxError {
            throw RegistryError(.malformed, "The body is not JSON: \(error.reason)")
        }
    }
}

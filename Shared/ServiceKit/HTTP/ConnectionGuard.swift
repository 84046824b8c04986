internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes

/// Sits between the HTTP codec and the application on every connection, and keeps the promises that the server library
/// leaves open:
///
/// - `Expect: 100-continue` is answered when the request's body is about to be read (``ReadsBody``), and not before;
/// - an answer that is given before the whole request was read closes the connection, and lingers: what still arrives is
///   read and dropped, as long as it keeps coming and for a bounded time and amount, so that no reset overtakes the answer
///   of a client that sends all of its request before it reads;
/// - a connection that is closed behind an answer (as all are when the service stops) is closed once the answer is sent,
///   not while its end still waits for a slow client;
/// - while the service drains, every answer asks its client to open its next connection elsewhere;
/// - a client that stops reading is cut off when nothing of what waits for it moved for ``Limits/stalledWrite``;
/// - a request that cannot be parsed gets a readable 400 or 431, one in a coding that is not known 501;
/// - a connection ends behind the answer where its client expects that (``ConnectionEnds``);
/// - reason phrases are the Image API's (``ReasonPhrases``);
/// - whoever works on a request can see whether its client is still there (``ClientPresence``).
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// A user event: the application begins to read the body of the current request.
    struct ReadsBody: Sendable {}

    struct Limits: Sendable {
        var stalledWrite: TimeAmount = .seconds(60)
        /// How long a client that was answered early may send nothing, and how long it may send.
        var lingerPause: TimeAmount = .seconds(5)
        var lingerTime: TimeAmount = .seconds(30)
        /// What is read and dropped; the rest is left to wait until the client is cut off.
        var lingerBytes = 1 << 30
    }

    private let limits: Limits
    private let draining: Draining?
    private let reads: UploadReads
    let presence = ClientPresence()
    private var expectsContinue = false
    /// Heads and ends of requests that came, and ends of answers that went: with pipelining they run ahead of each other.
    private var begun = 0
    private var arrived = 0
    private var answered = 0
    /// Whether the request that is being answered came to its end.
    var hasWholeRequest: Bool { arrived > answered }
    private var requestIsOpen: Bool { begun > answered && !hasWholeRequest }
    private var responseIsOpen = false
    private var isLingering = false
    private var lingered = 0
    /// Whether this connection counts among those that upload.
    private var isUploading = false
    private var stallCheck: Scheduled<Void>?
    private var lingerCheck: Scheduled<Void>?
    private var waitingBytes = 0
    /// The end of an answer that is on its way; `nil` when nothing is.
    private var sending: EventLoopFuture<Void>?

    /// - Parameter reads: Shared by all connections of a server.
    init(limits: Limits = Limits(), draining: Draining? = nil, reads: UploadReads) {
        self.limits = limits
        self.draining = draining
        self.reads = reads
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // Where a test speaks to this handler alone there is no encoder, and no phrase to be written.
        guard let encoder = try? context.pipeline.syncOperations.handler(type: HTTPResponseEncoder.self) else { return }
        do {
            try context.pipeline.syncOperations.addHandlers(
                [ReasonPhrases(), FileSender(stalledWrite: limits.stalledWrite)],
                position: .after(encoder)
            )
            let decoder = try context.pipeline.syncOperations
                .handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try context.pipeline.syncOperations.addHandler(ConnectionEnds(), position: .after(decoder))
        } catch {
            preconditionFailure("the codec was there a moment ago: \(error)")
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        stallCheck?.cancel()
        lingerCheck?.cancel()
        if isUploading { reads.end() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        presence.leave()
        stallCheck?.cancel()
        lingerCheck?.cancel()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { presence.leave() }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard !isLingering else {
            if case .body(let buffer) = part { lingered += buffer.readableBytes }
            if case .end = part { context.close(promise: nil) }
            return
        }
        switch part {
        case .head(let head):
            guard Self.isReadable(head) else { return refuseCoding(context) }
            begun += 1
            expectsContinue = head.headerFields[.expect]?.lowercased() == "100-continue"
            let declared = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
            if declared > 65_536 || head.headerFields[.transferEncoding] != nil { beginUpload(context) }
        case .body: break
        case .end:
            arrived += 1
            endUpload(context)
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if isLingering, lingered < limits.lingerBytes { context.read() }
    }

    private func beginUpload(_ context: ChannelHandlerContext) {
        guard !isUploading else { return }
        isUploading = true
        reads.begin()
        // Only makes reading slower where the channel has no such option.
        try? context.channel.syncOptions?.setOption(.recvAllocator, value: UploadReadAllocator(reads: reads))
    }

    private func endUpload(_ context: ChannelHandlerContext) {
        guard isUploading else { return }
        isUploading = false
        reads.end()
        let options = context.channel.syncOptions
        try? options?.setOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator())
        // A connection that waits for its next request keeps one of the buffers at most.
        try? options?.setOption(.maxMessagesPerRead, value: 1)
        try? options?.setOption(.maxMessagesPerRead, value: UInt(UploadReads.count))
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is ReadsBody else { return context.triggerUserOutboundEvent(event, promise: promise) }
        if expectsContinue, requestIsOpen, !responseIsOpen {
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
        expectsContinue = false
        promise?.succeed()
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where head.status.kind != .informational:
            responseIsOpen = true
            if requestIsOpen || draining?.isDraining == true { head.headerFields[.connection] = "close" }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            responseIsOpen = false
            let isEarly = requestIsOpen
            answered += 1
            let done = promise ?? context.eventLoop.makePromise()
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            sending = done.futureResult
            done.futureResult.whenComplete { _ in bound.value.sending = nil }
            guard isEarly else { return context.write(data, promise: done) }
            linger(context, behind: done.futureResult)
            context.writeAndFlush(data, promise: done)
            context.read()
        default:
            context.write(data, promise: promise)
        }
    }

    /// Ends the connection once an answer is sent and its client has stopped sending.
    private func linger(_ context: ChannelHandlerContext, behind answer: EventLoopFuture<Void>) {
        isLingering = true
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        answer.whenComplete { _ in
            let (handler, context) = bound.value
            context.channel.close(mode: .output, promise: nil)
            handler.scheduleEnd(context, sent: handler.lingered, deadline: .now() + handler.limits.lingerTime)
        }
    }

    private func scheduleEnd(_ context: ChannelHandlerContext, sent: Int, deadline: NIODeadline) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        lingerCheck = context.eventLoop.scheduleTask(in: limits.lingerPause) {
            let (handler, context) = bound.value
            guard handler.lingered > sent, .now() < deadline else { return context.close(promise: nil) }
            handler.scheduleEnd(context, sent: handler.lingered, deadline: deadline)
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all, let sending else { return context.close(mode: mode, promise: promise) }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        sending.whenComplete { _ in bound.value.close(mode: mode, promise: promise) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            stallCheck?.cancel()
            stallCheck = nil
        } else if stallCheck == nil {
            waitingBytes = bufferedBytes(context)
            scheduleStallCheck(context)
        }
        context.fireChannelWritabilityChanged()
    }

    private func scheduleStallCheck(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        stallCheck = context.eventLoop.scheduleTask(in: limits.stalledWrite) {
            let (handler, context) = bound.value
            let waiting = handler.bufferedBytes(context)
            guard waiting != handler.waitingBytes else { return context.close(promise: nil) }
            handler.waitingBytes = waiting
            handler.scheduleStallCheck(context)
        }
    }

    private func bufferedBytes(_ context: ChannelHandlerContext) -> Int {
        // A channel that cannot tell is taken to make progress until it closes.
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? waitingBytes + 1
    }

    // MARK: Requests that are none

    /// Bytes in another coding than chunks would be stored as they came (RFC 9112 §6.1).
    private static func isReadable(_ head: HTTPRequest) -> Bool {
        guard let coding = head.headerFields[.transferEncoding] else { return true }
        return coding.lowercased() == "chunked"
    }

    private func refuseCoding(_ context: ChannelHandlerContext) {
        // Behind requests that are still to be answered it ends what can be read.
        guard isBetweenRequests else { return errorCaught(context: context, error: HTTPParserError.unknown) }
        let sentence = "The request's transfer coding is not known; send it as it is, or as \"chunked\"."
        refuse(context, .notImplemented, sentence)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError, isBetweenRequests else { return context.fireErrorCaught(error) }
        switch error {
        case .headerOverflow:
            let status = HTTPResponse.Status(code: 431, reasonPhrase: "Request Header Fields Too Large")
            refuse(context, status, "The request's header is too large.")
        default: refuse(context, .badRequest, "The request is not well-formed HTTP/1.1.")
        }
    }

    /// While a request is in flight it is the application's to answer: it must learn that a body did not end as it should,
    /// and nothing may come before the answer to what was in order.
    private var isBetweenRequests: Bool { begun == answered && !responseIsOpen && !isLingering }

    private func refuse(_ context: ChannelHandlerContext, _ status: HTTPResponse.Status, _ sentence: String) {
        let body = "\(status.code) \(status.reasonPhrase)\n\n\(sentence)\n\n   "
        var head = HTTPResponse(status: status)
        head.headerFields[.contentType] = "text/plain; charset=UTF-8"
        head.headerFields[.contentLength] = String(body.utf8.count)
        head.headerFields[.connection] = "close"
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(ByteBuffer(string: body))), promise: nil)
        let done = context.eventLoop.makePromise(of: Void.self)
        linger(context, behind: done.futureResult)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: done)
    }
}

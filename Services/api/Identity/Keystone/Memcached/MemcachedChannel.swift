internal import NIOCore

/// One command, and who waits for its reply.
struct MemcachedCommand: Sendable {
    var bytes: ByteBuffer
    var reply: EventLoopPromise<MemcachedReply>
}

/// A connection to a memcached server: commands go out as they come, replies come back in that order. Lives on its event
/// loop. Any fault ends it, and fails all that wait.
final class MemcachedChannel: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = MemcachedCommand
    typealias OutboundOut = ByteBuffer

    private static let waitingLimit = 1_024
    private let timeout: TimeAmount
    private var reader = MemcachedReplyReader()
    private var waiting: CircularBuffer<(reply: EventLoopPromise<MemcachedReply>, deadline: NIODeadline)> = []
    private var isTimed = false

    /// Why a command came to nothing.
    enum Fault: Error { case closed, timedOut, tooManyWaiting }

    init(timeout: TimeAmount) { self.timeout = timeout }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let command = unwrapOutboundIn(data)
        guard context.channel.isActive else {
            promise?.fail(Fault.closed)
            return command.reply.fail(Fault.closed)
        }
        guard waiting.count < Self.waitingLimit else {
            promise?.fail(Fault.tooManyWaiting)
            return command.reply.fail(Fault.tooManyWaiting)
        }
        waiting.append((command.reply, .now() + timeout))
        context.write(wrapOutboundOut(command.bytes), promise: promise)
        watch(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        reader.feed(unwrapInboundIn(data).readableBytesView)
        do {
            while let reply = try reader.next() {
                guard let first = waiting.popFirst() else { throw MemcachedReplyReader.Garbage() }
                first.reply.succeed(reply)
            }
        } catch {
            fail(context, error)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(context, Fault.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(context, error) }

    /// Looks after the command that waits longest: the others have more time.
    private func watch(_ context: ChannelHandlerContext) {
        guard !isTimed, let first = waiting.first else { return }
        isTimed = true
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(deadline: first.deadline) {
            let (handler, context) = bound.value
            handler.isTimed = false
            if let first = handler.waiting.first, first.deadline <= .now() {
                handler.fail(context, Fault.timedOut)
            } else {
                handler.watch(context)
            }
        }
    }

    private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
        let failed = waiting
        waiting = []
        context.close(promise: nil)
        for entry in failed { entry.reply.fail(error) }
    }
}

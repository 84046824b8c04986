internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// Sends parts of files from the system's memory to the client (`sendfile`), past the code that would copy them through this
/// process. Stands behind the HTTP codec, whose parts can only be buffers, and before the encoder, which takes files too.
///
/// A file that has become shorter, and a client that takes nothing for ``ConnectionGuard/Limits/stalledWrite``, end the
/// connection: the system says nothing of the first, and would be asked again and again.
final class FileSender: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// A user event: a part of a file as a piece of the answer's body. Its promise is kept when all of it is sent.
    struct SendsFile: Sendable {
        var region: FileRegion
    }

    private let stalledWrite: TimeAmount

    init(stalledWrite: TimeAmount) { self.stalledWrite = stalledWrite }

    /// Bytes that are encrypted on their way have to pass through this process.
    static func isOpen(_ channel: any Channel) -> Bool {
        let pipeline = channel.pipeline.syncOperations
        guard (try? pipeline.handler(type: FileSender.self)) != nil else { return false }
        return (try? pipeline.handler(type: NIOSSLServerHandler.self)) == nil
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let event = event as? SendsFile else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        let sent = promise ?? context.eventLoop.makePromise()
        let watch = Watch(event.region, context, stalledWrite)
        watch.goOn()
        sent.futureResult.assumeIsolated().whenComplete { _ in watch.end() }
        context.writeAndFlush(wrapOutboundOut(.body(.fileRegion(event.region))), promise: sent)
    }

    /// Looks now and then whether a part of a file still moves, and closes the connection where it does not.
    private final class Watch {
        private static let looks: Int64 = 12
        private let region: FileRegion
        private let context: ChannelHandlerContext
        private let pause: TimeAmount
        private var look: Scheduled<Void>?
        private var waiting: Int?
        private var looksInVain: Int64 = 0

        init(_ region: FileRegion, _ context: ChannelHandlerContext, _ stalledWrite: TimeAmount) {
            self.region = region
            self.context = context
            pause = .nanoseconds(stalledWrite.nanoseconds / Self.looks)
        }

        func goOn() {
            look = context.eventLoop.assumeIsolated().scheduleTask(in: pause) {
                if self.isOver { self.context.close(promise: nil) } else { self.goOn() }
            }
        }

        func end() { look?.cancel() }

        private var isOver: Bool {
            // A channel that cannot tell is taken to make progress until it closes.
            let left = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
            guard let left, left == waiting else {
                waiting = left
                looksInVain = 0
                return false
            }
            looksInVain += 1
            return looksInVain >= Self.looks || isShort
        }

        private var isShort: Bool {
            var status = stat()
            // A handle that is closed sends nothing more, which the next look finds.
            let result = try? region.fileHandle.withUnsafeFileDescriptor { fstat($0, &status) }
            return result == 0 && status.st_size < region.endIndex
        }
    }
}

extension ConnectionContext {
    /// Whether ``send(_:)`` works on this connection: it is one without TLS.
    public func sendsFiles() async -> Bool {
        let channel = channel
        do {
            return try await channel.eventLoop.submit { FileSender.isOpen(channel) }.get()
        } catch {
            // The event loop ends, and the connection with it.
            return false
        }
    }

    /// Sends a part of a file as a piece of the answer's body, whose head was written. Returns once the system has taken
    /// all of it: neither a thread nor memory of this process waits for a slow client.
    ///
    /// - Parameter range: Should be in the system's memory: the event loop waits where the system has to read it first.
    /// - Throws: When the connection ends before.
    public func send(_ file: SentFile, _ range: Range<Int64>) async throws {
        let region = FileRegion(
            fileHandle: file.handle,
            readerIndex: Int(range.lowerBound),
            endIndex: Int(range.upperBound)
        )
        let sent = channel.eventLoop.makePromise(of: Void.self)
        channel.triggerUserOutboundEvent(FileSender.SendsFile(region: region), promise: sent)
        try await sent.futureResult.get()
    }
}

/// A file that is open as long as somebody may send of it.
public final class SentFile: Sendable {
    let handle: NIOFileHandle

    /// - Throws: `IOError` when this process may open no more files.
    public init(duplicating descriptor: Int32) throws {
        let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard duplicate >= 0 else { throw IOError(errnoCode: errno, reason: "dup") }
        handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: duplicate)
    }

    // Nothing is lost where this fails: the file was only read from.
    deinit { try? handle.close() }
}

internal import AsyncHTTPClient
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The connection of one fetch. A client of its own, because the address that a name was judged by is part of a client's
/// configuration.
final class FetchSession: Sendable {
    let client: HTTPClient
    private let isOpen = Atomic<Bool>(true)

    init(_ configuration: HTTPClient.Configuration) {
        client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
    }

    deinit { close() }

    /// Ends the connection, with whatever still comes. Idempotent, and does not wait.
    func close() {
        guard isOpen.exchange(false, ordering: .relaxed) else { return }
        // The client keeps itself alive until it is shut down, and there is nobody to tell how that went.
        let _: EventLoopFuture<Void> = client.shutdown()
    }
}

public import AsyncHTTPClient
internal import NIOPosix
internal import Synchronization

/// An HTTP client that is made when it is needed first, since one that was made has to be shut down.
public final class LazyHTTPClient: Sendable {
    private let configuration: HTTPClient.Configuration
    private let state = Mutex(State.unused)

    private enum State {
        case unused
        case used(HTTPClient)
        case closed
    }

    public init(_ configuration: HTTPClient.Configuration) { self.configuration = configuration }

    /// - Returns: `nil` once it was shut down.
    public func open() -> HTTPClient? {
        state.withLock { state in
            switch state {
            case .used(let client): return client
            case .closed: return nil
            case .unused:
                let client = HTTPClient(
                    eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
                    configuration: configuration
                )
                state = .used(client)
                return client
            }
        }
    }

    /// To be called once, when nobody asks any more.
    public func shutdown() async throws {
        let last = state.withLock { state in
            defer { state = .closed }
            return state
        }
        if case .used(let client) = last { try await client.shutdown() }
    }
}

internal import NIOCore
internal import NIOHTTP1

/// A service to measure, and how to talk to it.
struct ServiceUnderTest: Sendable {
    let name: String
    let url: ServiceURL
    let address: SocketAddress
    /// Host, credentials and what else every request carries.
    let headers: HTTPHeaders
    /// Roots of the process trees to watch.
    let processes: [Int]
    let ledger = ImageLedger()
}

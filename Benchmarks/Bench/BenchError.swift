internal import Glibc
internal import NIOCore
internal import NIOPosix

/// A failure that ends the program, in one sentence for the person at the terminal.
struct BenchError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }

    /// The kernel's word for what failed, if the error has one.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { reason($0.error) } ?? "\(error)"
        case let error as IOError: reason(error.errnoCode)
        case ChannelError.connectTimeout: "no answer to the attempt to connect"
        default: "\(error)"
        }
    }

    static func reason(_ code: Int32) -> String {
        guard let text = strerror(code) else { return "error \(code)" }
        return String(cString: text)
    }
}

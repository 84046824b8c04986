internal import Glibc
public import Logging
public import ServiceLifecycle
internal import UnixSignals

/// Why a program stopped: one sentence for whoever started it.
public struct ProgramFailure: Error, CustomStringConvertible {
    public var description: String

    public init(_ sentence: String) { description = sentence }
}

/// Says why a program cannot go on and ends it with status 1.
public func exitProgram(_ program: String, because sentence: String) -> Never {
    let line = Array("\(program): \(sentence)\n".utf8)
    line.withUnsafeBytes { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    exit(1)
}

/// Runs the services of a program until one fails or the process is asked to stop (SIGTERM, SIGINT).
///
/// Services stop in the reverse of their order, each when those behind it have ended.
///
/// - Parameter shutdownTimeout: How long that may take before what still runs is cut off.
public func runServices(
    _ services: [any Service],
    shutdownTimeout: Duration,
    logger: Logger
) async throws {
    var configuration = ServiceGroupConfiguration(
        services: services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: logger
    )
    configuration.maximumGracefulShutdownDuration = shutdownTimeout
    // A client that goes away while it is written to must not end the service.
    signal(SIGPIPE, SIG_IGN)
    try await ServiceGroup(configuration: configuration).run()
}

/// The variables of this process.
func environment() -> [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let variable = entry.pointee {
        let text = String(cString: variable)
        if let separator = text.firstIndex(of: "=") {
            variables[String(text[..<separator])] = String(text[text.index(after: separator)...])
        }
        entry += 1
    }
    return variables
}

internal import ArgumentParser
internal import Hummingbird
internal import Logging
internal import ServiceKit

/// The service's HTTP server, which takes bodies and does nothing with them: to be ended by a signal.
struct DrainPart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "drain", abstract: "Serves PUT, and drops the bodies.")

    @Argument(help: "The port, on loopback.")
    var port: Int

    func run() async throws {
        try await HTTPService.application(
            DrainingResponder(),
            at: .tcp(host: "127.0.0.1", port: port),
            logger: Logger(label: "drain") { _ in SwiftLogNoOpLogHandler() }
        ).runService()
    }
}

private struct DrainingResponder: HTTPResponder {
    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        context.willReadBody()
        for try await _ in request.body {}
        return Response(status: .noContent)
    }
}

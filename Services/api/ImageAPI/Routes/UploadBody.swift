internal import Hummingbird
internal import NIOCore
internal import ServiceKit

/// The body of an upload. The client that waits for permission gets it when the first piece is asked for, which is after
/// everything that could refuse the upload.
struct UploadBody: AsyncSequence, Sendable {
    typealias Failure = any Error

    let request: APIRequest

    func makeAsyncIterator() -> Iterator {
        Iterator(connection: request.connection, base: request.request.body.makeAsyncIterator())
    }

    struct Iterator: AsyncIteratorProtocol {
        let connection: ConnectionContext
        var base: RequestBody.AsyncIterator
        var hasBegun = false

        mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> ByteBuffer? {
            if !hasBegun {
                hasBegun = true
                connection.willReadBody()
            }
            do {
                if let chunk = try await base.next(isolation: actor) { return chunk }
            } catch {
                throw APIRequest.brokenBody(error)
            }
            // A connection that went away ends the sequence as well: such a body must not be taken for a whole one.
            guard await connection.hasWholeRequest() else { throw APIRequest.brokenBody(nil) }
            return nil
        }
    }
}

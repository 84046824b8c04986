internal import ImageModel
internal import RegistryContract

/// Decisions on a record as it was read, of which the registry refuses to write any but those on the latest revision.
enum Deciding {
    /// How often that is done before the client is told to try again.
    private static let tries = 200

    /// Decides again whenever somebody else changed the record between its reading and the writing.
    ///
    /// - Parameters:
    ///   - refusal: What the registry's last word means to the client.
    ///   - body: Reads, decides and writes.
    static func anew<Answer>(
        refusal: (RegistryError) -> ServiceError = { ServiceError($0) },
        _ body: () async throws -> Answer
    ) async throws -> Answer {
        var tries = 0
        while true {
            do {
                return try await body()
            } catch let error as RegistryError {
                tries += 1
                guard error.code == .changedMeanwhile, tries < Self.tries else { throw refusal(error) }
                await pause(after: tries)
            }
        }
    }

    /// Gives way to the others, a little longer and more scattered each time.
    private static func pause(after tries: Int) async {
        // A cancelled pause ends at once, and the next try is the last that anybody waits for.
        try? await Task.sleep(for: .milliseconds(min(tries, 20)) * Double.random(in: 0...2))
    }
}

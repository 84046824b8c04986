internal import StoreLayer

/// Runs a store's operation for so long; one that goes on is left to end by itself, and counts as timed out.
func withTimeLimit(
    _ limit: Duration,
    _ body: @escaping @Sendable () async throws(StoreError) -> Void
) async throws(StoreError) {
    let result: Result<Void, StoreError> = await withCheckedContinuation { continuation in
        let race = FirstResult(continuation)
        let timer = Task {
            // Cancelled when the store was quicker; what is said then comes second and is not heard.
            try? await Task.sleep(for: limit)
            race.finish(.failure(StoreError(.timedOut, "The store did not answer in time")))
        }
        // Unstructured: a call into a hanging store cannot be cancelled, and must not be waited for.
        Task {
            race.finish(await outcome(of: body))
            timer.cancel()
        }
    }
    try result.get()
}

private func outcome(of body: @Sendable () async throws(StoreError) -> Void) async -> Result<Void, StoreError> {
    do throws(StoreError) {
        try await body()
        return .success(())
    } catch {
        return .failure(error)
    }
}

internal import StoreLayer
internal import Synchronization

/// Resumes a continuation with the first of several results.
final class FirstResult: Sendable {
    private let continuation: Mutex<CheckedContinuation<Result<Void, StoreError>, Never>?>

    init(_ continuation: CheckedContinuation<Result<Void, StoreError>, Never>) {
        self.continuation = Mutex(continuation)
    }

    func finish(_ result: Result<Void, StoreError>) {
        let waiting = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        waiting?.resume(returning: result)
    }
}

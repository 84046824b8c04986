internal import Glibc

/// A thread that may block, so that none of Swift's has to. It is joined or detached exactly once.
struct WorkerThread: @unchecked Sendable {  // A `pthread_t` is a number that any thread may use.
    private let handle: pthread_t

    /// - Parameters:
    ///   - name: at most 15 bytes, shown by `top -H` and in core files.
    ///   - body: what it does; it ends with it.
    /// - Throws: ``DatabaseError`` (`unavailable`) when the system has no more threads.
    init(_ name: String, _ body: @escaping @Sendable () -> Void) throws {
        let start = Unmanaged.passRetained(Start(name, body))
        var handle = pthread_t()
        let result = pthread_create(
            &handle,
            nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                nameThisThread(start.name)
                start.body()
                return nil
            },
            start.toOpaque()
        )
        guard result == 0 else {
            start.release()
            throw DatabaseError(.unavailable, "A thread could not be started: \(String(cString: strerror(result))).")
        }
        self.handle = handle
    }

    func join() { pthread_join(handle, nil) }
    func detach() { pthread_detach(handle) }

    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}

/// Best effort. (Swift does not see `pthread_setname_np` and cannot call `prctl`.)
private func nameThisThread(_ name: String) {
    let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = write(descriptor, name, name.utf8.count)
    close(descriptor)
}

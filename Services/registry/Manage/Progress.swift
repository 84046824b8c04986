import Glibc

/// Says on standard error how far long work is; what is done within seconds it does not mention.
final class Progress {
    private let clock = ContinuousClock()
    private var next: ContinuousClock.Instant
    private let interval = Duration.seconds(2)

    init() { next = clock.now + interval }

    func say(_ text: @autoclosure () -> String) {
        guard clock.now >= next else { return }
        complain(text())
        next = clock.now + interval
    }

    /// As ``say(_:)``, of a copy.
    func report(_ step: String, _ done: Int64, _ all: Int64) {
        say(all == 0 ? "\(step)…" : "\(done >> 20) of \(all >> 20) MiB \(step)")
    }
}

/// Says something to whoever reads the errors, and goes on.
func complain(_ sentence: String) {
    let line = Array("glance-manage: \(sentence)\n".utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

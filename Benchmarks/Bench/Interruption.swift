internal import Glibc
internal import Synchronization

/// Whether somebody asked the program to stop (Ctrl-C, SIGTERM, SIGHUP).
///
/// The first request ends the measurement and starts the removal of images; one during the removal ends that too.
enum Interruption: Error {
    case requested

    private static let flag = Atomic<Bool>(false)

    static func install() {
        reset()  // Also initialises the flag, so that the handler only stores.
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { _ in Interruption.flag.store(true, ordering: .relaxed) }
        }
        signal(SIGPIPE, SIG_IGN)
    }

    static var isRequested: Bool { flag.load(ordering: .relaxed) }

    static func reset() { flag.store(false, ordering: .relaxed) }

    static func check() throws {
        if isRequested { throw Interruption.requested }
    }
}

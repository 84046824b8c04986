internal import Synchronization

/// The images that this program made, or tried to, and has not removed. An image is entered before its creation is
/// asked for, so that nothing is forgotten whatever happens to the answer.
final class ImageLedger: Sendable {
    private let images = Mutex<Set<String>>([])

    func enter(_ image: String) { images.withLock { _ = $0.insert(image) } }
    func strike(_ image: String) { images.withLock { _ = $0.remove(image) } }
    var all: Set<String> { images.withLock { $0 } }
}

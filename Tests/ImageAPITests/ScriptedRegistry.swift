import ImageModel
import RegistryContract
import Synchronization

/// A registry that has one image, lets go of its locations when asked to, and remembers what it was asked.
final class ScriptedRegistry: RegistryClient {
    private let image: Image?
    private let asked = Mutex<[String]>([])

    /// - Parameter image: `nil`: there is none that the caller may see.
    init(_ image: Image?) { self.image = image }

    /// The names of the operations, in order.
    var operations: [String] { asked.withLock { $0 } }

    func call<Operation: RegistryOperation>(
        _ operation: Operation,
        as caller: Caller,
        requestID: String
    ) async throws(RegistryError) -> Operation.Response {
        asked.withLock { $0.append(Operation.name) }
        guard let image, let response = Self.answer(operation, image) as? Operation.Response else {
            throw RegistryError(.notFound, "No image found with ID")
        }
        return response
    }

    private static func answer(_ operation: any RegistryOperation, _ image: Image) -> (any Sendable)? {
        switch operation {
        case is ShowImage: image
        case let relocation as RelocateImage:
            RelocatedImage(image: relocation.image, deletions: removed(by: relocation, from: image))
        case is FinishDeletions, is PostponeDeletions, is WithdrawDeletions: Done()
        default: nil
        }
    }

    private static func removed(by relocation: RelocateImage, from image: Image) -> [PendingDeletion] {
        let kept = Set(relocation.image.locations.map(\.url))
        return image.locations.enumerated().filter { !kept.contains($1.url) }.map { number, location in
            PendingDeletion(
                id: Int64(number),
                image: image.id,
                store: location.store,
                url: location.url,
                attempt: "a",
                identity: nil,
                isUnfinished: false
            )
        }
    }
}

import HTTPTypes
import Hummingbird
import Identity
import ImageModel
import Logging
import NIOCore
import NIOPosix
import RegistryContract
import ServiceKit
import StoreLayer
import Testing
import WireJSON

@testable import ImageAPI

/// `DELETE /v2/stores/{store}/{id}`: who is refused and why, in the order of the Image API ("Multi-store endpoints"), and
/// what becomes of the location when the store refuses.
@Suite("Removing a copy from a store")
struct StoreRemovalTests {
    private struct Known: IdentityProvider {
        let caller: Caller
        let challenge = "None"

        func identify(_ credentials: RequestCredentials) async throws(ServiceError) -> Caller { caller }
    }

    private static let id = "11111111-1111-4111-8111-111111111111"
    private static let admin = Caller(user: "a", project: "a", roles: ["admin"], isAdmin: true)
    private static let owner = Caller(user: "o", project: "p", roles: ["member", "reader"])

    /// An image of the project `p` with a copy in each of some stores.
    private static func image(_ status: ImageStatus = .active, stores: [String] = ["fast", "slow"]) throws -> Image {
        let id = try #require(ImageID(Self.id))
        let locations = stores.map {
            ImageLocation(url: "stub://\($0)/\(Self.id)", metadata: ["store": .string($0)])
        }
        return Image(id: id, status: status, owner: "p", size: 5, locations: locations)
    }

    private static func catalogue(_ deletionError: StoreError?) throws -> StoreCatalogue {
        let stores = [
            StubStore("fast", deletionError: deletionError), StubStore("slow", deletionError: deletionError),
            StubStore("os_glance_staging_store"),
        ]
        return try StoreCatalogue(stores.map { .init($0) }, defaultIdentifier: "fast", isMultiStore: true)
    }

    private struct Outcome {
        var status: Int
        var body: String
        var operations: [String]
    }

    private func remove(
        _ image: Image?,
        from path: String = "fast/\(Self.id)",
        deletionError: StoreError? = nil,
        isMultiStore: Bool = true,
        as caller: Caller = Self.admin,
        headers: [String: String] = [:]
    ) async throws -> Outcome {
        let registry = ScriptedRegistry(image)
        let catalogue =
            isMultiStore ? try Self.catalogue(deletionError) : StoreCatalogue(single: StubStore("file"))
        let responder = RoutesUnderTest.responder(catalogue, registry: registry, identity: Known(caller: caller))
        // Of a channel a connection needs no more than that there is one.
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let answer = try await responder.respond(
            to: .made(.delete, "/v2/stores/\(path)", headers: headers),
            context: ConnectionContext(channel: channel, logger: logger, peer: .unixSocket)
        ).collected()
        try await channel.close()
        return Outcome(status: answer.status.code, body: answer.body, operations: registry.operations)
    }

    @Test("the copy goes, or stays queued, or the location comes back", arguments: [nil] + StoreError.Code.allCases)
    func outcomes(_ code: StoreError.Code?) async throws {
        let (status, last): (Int, String) =
            switch code {
            // What is not there, or not ours to delete, is gone.
            case nil, .notFound, .unsupported: (204, "deletions.finish")
            case .forbidden: (403, "deletions.withdraw")
            case .inUse: (409, "deletions.withdraw")
            case .invalidLocation, .alreadyExists, .sizeMismatch, .digestMismatch, .tooLarge, .full, .writeDenied,
                .addingDisabled, .unavailable, .timedOut, .superseded, .failed:
                (204, "deletions.postpone")
            }
        let error = code.map { StoreError($0, "snapshots need it", cause: StoreError(.failed, "/secret/path")) }
        let outcome = try await remove(try Self.image(), deletionError: error)
        #expect(outcome.status == status)
        #expect(outcome.operations == ["images.show", "images.relocate", last])
        #expect(outcome.body.contains("snapshots need it") == (status != 204))
        #expect(!outcome.body.contains("/secret/path"))
    }

    @Test("an image that is not active keeps its copies", arguments: ImageStatus.allCases)
    func statuses(_ status: ImageStatus) async throws {
        let outcome = try await remove(try Self.image(status))
        #expect(outcome.status == (status == .active ? 204 : 409))
        guard status != .active else { return }
        #expect(outcome.body.contains("if image status is not 'active'"))
        #expect(outcome.operations == ["images.show"])
    }

    @Test(
        "callers without the right to remove copies are refused, and learn nothing of images they may not see",
        arguments: [
            (admin, 204), (owner, 403), (Caller(user: "r", project: "p", roles: ["reader"]), 403),
            (Caller(user: "m", project: "p", roles: ["manager", "member", "reader"]), 403),
            // Whom the registry shows the image, as it is shared with the project.
            (Caller(user: "x", project: "other", roles: ["member", "reader"]), 403),
            (Caller(user: "n", project: "p", roles: []), 404), (.anonymous, 403),
        ] as [(Caller, Int)]
    )
    func callers(_ caller: Caller, _ status: Int) async throws {
        let outcome = try await remove(try Self.image(), as: caller)
        #expect(outcome.status == status)
        #expect(outcome.operations.count <= 1 || status == 204)
    }

    struct Refusal: Sendable {
        var path: String = "fast/\(id)"
        var image: Image?
        var isMultiStore = true
        var caller = admin
        var headers: [String: String] = [:]
        var status: Int
        var phrase: String
    }

    private static func refusals() throws -> [Refusal] {
        let (image, single) = (try image(), try self.image(stores: ["fast"]))
        return [
            // Without a choice of stores nothing else is looked at.
            Refusal(path: "file/\(id)", image: image, isMultiStore: false, status: 404, phrase: "Multi backend is not"),
            Refusal(path: "x/no-id", isMultiStore: false, caller: owner, status: 404, phrase: "Multi backend is not"),
            // The store comes before the image.
            Refusal(path: "nowhere/\(id)", status: 409, phrase: "The selected store nowhere is not available"),
            Refusal(
                path: "os_glance_staging_store/\(id)",
                image: image,
                status: 409,
                phrase: "os_glance_staging_store is not available on this node"
            ),
            Refusal(path: "fast/no-id", image: image, status: 404, phrase: "Failed to find image no-id"),
            Refusal(status: 404, phrase: "Failed to find image \(id)"),
            // Policy comes before the state of the image, and its state before its copies.
            Refusal(image: try self.image(.queued), caller: owner, status: 403, phrase: "delete_image_location"),
            Refusal(image: try self.image(.queued, stores: []), status: 409, phrase: "not 'active'"),
            Refusal(image: single, status: 403, phrase: "Cannot delete image data from the only store containing it."),
            Refusal(path: "slow/\(id)", image: single, status: 403, phrase: "the only store containing it."),
            Refusal(
                path: "slow/\(id)",
                image: try self.image(stores: ["fast", "fast"]),
                status: 404,
                phrase: "is not stored in store slow."
            ),
            Refusal(image: image, headers: ["content-length": "4"], status: 400, phrase: "A body is not expected"),
        ]
    }

    @Test("refusals come in order, and nothing is taken from the record", arguments: try refusals())
    func refusing(_ refusal: Refusal) async throws {
        let outcome = try await remove(
            refusal.image,
            from: refusal.path,
            isMultiStore: refusal.isMultiStore,
            as: refusal.caller,
            headers: refusal.headers
        )
        #expect(outcome.status == refusal.status, "\(outcome.body)")
        #expect(outcome.body.contains(refusal.phrase), "\(outcome.body)")
        #expect(outcome.operations.allSatisfy { $0 == "images.show" })
    }
}

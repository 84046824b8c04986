import ImageModel
import Testing

@Suite("Image status")
struct ImageStatusTests {
    private static let allowed: [ImageStatus: [ImageStatus]] = [
        .queued: [.saving, .uploading, .importing, .active, .deleted],
        .saving: [.active, .killed, .deleted, .queued],
        .uploading: [.importing, .queued, .deleted],
        .importing: [.active, .deleted, .queued],
        .active: [.pendingDelete, .deleted, .deactivated],
        .deactivated: [.active, .deleted],
        .pendingDelete: [.deleted, .active],
        .killed: [.deleted],
        .deleted: [],
    ]

    @Test(
        "each of the 81 transitions is allowed or refused as the API says",
        arguments: ImageStatus.allCases,
        ImageStatus.allCases
    )
    func transitions(from: ImageStatus, to: ImageStatus) throws {
        let targets = try #require(Self.allowed[from])
        #expect(from.mayBecome(to) == targets.contains(to))
    }

    @Test(
        "both formats are needed before data is kept, and not to stage it",
        arguments: ImageStatus.allCases,
        ImageStatus.allCases
    )
    func formats(from: ImageStatus, to: ImageStatus) {
        let needed = [.queued, .uploading].contains(from) && [.saving, .active, .importing].contains(to)
        #expect(from.requiresFormats(toBecome: to) == needed)
    }

    @Test("the words are the API's")
    func words() {
        #expect(
            Set(ImageStatus.allCases.map(\.rawValue)) == [
                "queued", "saving", "uploading", "importing", "active", "deactivated", "pending_delete", "deleted",
                "killed",
            ]
        )
    }
}

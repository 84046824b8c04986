import ArgumentParser
import DataUpkeep
import ImageModel
import RegistryContract
import RegistryHTTP
import ServiceKit

struct DamagedCommand: ScrubberTask {
    static let program = "glance-scrubber-list"
    static let configuration = CommandConfiguration(
        commandName: "damaged",
        abstract: "Names every copy of data that was found damaged.",
        discussion: """
            Each is a line of image, damage, store, place and the time when it was found, between tabs:

              digest   other bytes than were stored
              size     more bytes or fewer
              missing  the store has it no more

            Put the data back from a backup and verify the image again, or upload it anew as another image:

              glance-scrubber verify --image IMAGE

            Exit status: 0, or 1 when the registry could not be asked.
            """
    )

    @OptionGroup var files: ConfigurationFiles

    func run(on node: ScrubberNode) async throws -> Int32 {
        var after: Int64 = 0
        while true {
            let list = ListDamage(after: after, limit: 500)
            let page = try await node.registry.call(list, as: .service, requestID: "damaged").copies
            for damaged in page {
                let copy = damaged.copy
                let fields = [
                    copy.image.text, damaged.damage.rawValue, copy.store ?? "-", copy.url, damaged.foundAt.text,
                ]
                print(fields.joined(separator: "\t"))
            }
            guard let last = page.last else { return 0 }
            after = last.copy.id
        }
    }
}

import Foundation
import ImageFormats
import Testing

/// Images that real tools made, when `BACKENDS_IMAGES` names the folder of `Tests/Backends/images.sh`.
@Suite("Inspection of images that real tools made")
struct RealImageTests {
    struct RealImage: Sendable, CustomTestStringConvertible {
        var path: String
        var diskFormat: String
        var containerFormat: String
        var qemuFormat: String
        var virtualSize: Int64?
        var isSafe: Bool

        var testDescription: String { URL(fileURLWithPath: path).lastPathComponent }
    }

    static let all: [RealImage] = {
        guard let folder = ProcessInfo.processInfo.environment["BACKENDS_IMAGES"],
            let manifest = try? String(contentsOfFile: "\(folder)/manifest.tsv", encoding: .utf8)
        else { return [] }
        return manifest.split(separator: "\n").dropFirst().map { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return RealImage(
                path: "\(folder)/\(columns[0])",
                diskFormat: columns[5],
                containerFormat: columns[6],
                qemuFormat: columns[1],
                virtualSize: Int64(columns[2]),
                isSafe: columns[7] == "safe"
            )
        }
    }()

    @Test(
        "good ones pass with the size that QEMU tells, bad ones do not",
        .enabled(if: !all.isEmpty, "BACKENDS_IMAGES names no images, which Tests/Backends/images.sh makes"),
        arguments: all
    )
    func judge(_ image: RealImage) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: image.path)))
        let inspection = inspect(bytes)
        // A format that the service does not have can only be sent as something else.
        let claim = image.diskFormat == "-" ? "raw" : image.diskFormat
        guard image.containerFormat == "bare" else { return }
        guard image.isSafe else {
            #expect(throws: FormatRefusal.self) { try inspection.judge(claimed: claim, by: FormatRules()) }
            return
        }
        let verdict = try inspection.judge(claimed: claim, by: FormatRules())
        // QEMU counts a raw image in whole sectors.
        let expected = claim == "raw" ? inspection.byteCount : image.virtualSize
        #expect(verdict.virtualSize == expected)
    }
}

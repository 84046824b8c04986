internal import ImageFormats
internal import ImageModel
internal import Logging

/// Whether the bytes of an image may be what they are (Image API v2, content inspection).
struct ContentInspection: Sendable {
    let rules: FormatRules
    let logger: Logger

    /// What to hold an image's data against; `nil` where the container, not the disk, is what is stored.
    func rule(for image: Image) -> (@Sendable (Inspection) throws -> Int64?)? {
        guard image.containerFormat == "bare", let claimed = image.diskFormat else { return nil }
        return { inspection in try judge(inspection, claimed, image.id) }
    }

    private func judge(_ inspection: Inspection, _ claimed: String, _ id: ImageID) throws(ServiceError) -> Int64? {
        do throws(FormatRefusal) {
            let verdict = try inspection.judge(claimed: claimed, by: rules)
            if !verdict.warnings.isEmpty {
                logger.warning(
                    "An image's data is not what it should be, and is accepted",
                    metadata: ["image.id": "\(id)", "found": "\(verdict.warnings.joined(separator: "; "))"]
                )
            }
            return verdict.virtualSize
        } catch {
            logger.notice(
                "An image's data is refused",
                metadata: [
                    "image.id": "\(id)", "refusal": "\(error.message)",
                    "found": "\(error.details.joined(separator: "; "))",
                ]
            )
            throw ServiceError(.unsupportedMediaType, error.message, cause: error)
        }
    }
}

public import ImageModel
internal import RegistryContract

/// Deletions that are put off, and taken back.
extension ImageTable {
    /// How long a deletion is put off: not at all for an image without data, or whose data is only on its way.
    ///
    /// - Throws: `invalid` for a deactivated image with data, which may not become `pending_delete`.
    static func delay(_ wanted: Duration?, of image: Image) throws(RegistryError) -> Duration? {
        guard let wanted, !image.locations.isEmpty else { return nil }
        if image.status == .deactivated { throw refusal(of: image, .pendingDelete, .invalid) }
        return image.status.mayBecome(.pendingDelete) ? wanted : nil
    }

    static func refusal(of image: Image, _ status: ImageStatus, _ code: RegistryError.Code) -> RegistryError {
        RegistryError(
            code,
            "Image status transition from \(image.status.rawValue) to \(status.rawValue) is not allowed"
        )
    }

    /// Makes an image active again whose data waits for a scrubber: all of it, so that nothing is missing.
    public func undelete(_ id: ImageID, at now: Timestamp) throws -> Image {
        let restored = try connection.execute(
            """
            UPDATE images SET status = 'active', status_before_deletion = NULL, deleted_at = NULL, updated_at = ?,
                revision = revision + 1
            WHERE id = ? AND status = 'pending_delete' AND status_before_deletion IS NOT NULL
                AND EXISTS (SELECT 1 FROM image_locations WHERE image_id = images.id AND scrub_at IS NOT NULL
                    AND \(LocationTable.isOfImage))
                AND NOT EXISTS (SELECT 1 FROM image_locations WHERE image_id = images.id AND scrub_at IS NULL
                    AND \(LocationTable.isOfImage))
            """,
            [.integer(now.microseconds), .text(id.text)]
        )
        guard restored == 1 else { throw try irrevocable(id) }
        try LocationTable(connection).revive(ofImage: id)
        return try image(id)
    }

    private func irrevocable(_ id: ImageID) throws -> RegistryError {
        let status = try connection.first("SELECT status FROM images WHERE id = ?", [.text(id.text)]) { $0.text(0) }
        guard let status else { return RegistryError(.notFound, "No image found with ID \(id)") }
        guard status == ImageStatus.pendingDelete.rawValue else {
            return RegistryError(.wrongState, "cannot restore the image from \(status) to active")
        }
        return RegistryError(
            .wrongState,
            "cannot restore the image from \(status) to active: its data is being removed already"
        )
    }
}

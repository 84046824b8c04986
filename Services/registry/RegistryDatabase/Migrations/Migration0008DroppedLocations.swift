extension Migration {
    /// Which queued deletions are none of what an image let go of when it was deleted: 1 in `dropped` where the image had
    /// let go of the data before, while it was there. What such a row says of a location in another state means nothing.
    ///
    /// A registry of the release before leaves it as it is. What it deletes counts as let go of with the image, as ever.
    static let droppedLocations = Migration(number: 8, name: "dropped locations", phase: .expand) { _ in
        "ALTER TABLE image_locations ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;"
    }
}

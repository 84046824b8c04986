/// How closely the properties of images are held to the metadata definitions when images are created and changed.
public enum PropertyCheckMode: String, CaseIterable, Sendable {
    /// Not at all, as in the reference.
    case off
    /// A property that is defined must have a value that its definition allows.
    case values
    /// And there are no properties that nobody defines.
    case all
}

/// The two forms in which a client may write a change.
public enum PatchDialect: String, Sendable, CaseIterable {
    /// `{"op": "add", "path": "/x", "value": "v"}`.
    case v21 = "application/openstack-images-v2.1-json-patch"
    /// `{"add": "/x", "value": "v"}`; `add` refuses what is there already.
    case v20 = "application/openstack-images-v2.0-json-patch"

    /// The value of the `Accept-Patch` header.
    public static let accepted = [v20, v21].map(\.rawValue).joined(separator: ", ")

    public var mediaType: String { rawValue }
}

/// A change to an image, read and checked as far as that goes without the image (Image API v2, "Update image").
public struct ImagePatch: Sendable, Equatable {
    public var operations: [ImagePatchOperation]

    public init(operations: [ImagePatchOperation]) { self.operations = operations }
}

public enum ImagePatchOperation: Sendable, Equatable {
    case setField(ImageFieldValue, PatchAssignment)
    /// A custom property; a declared one may be set to null.
    case setProperty(name: String, value: String?, PatchAssignment)
    case remove(name: String)
    case locations(LocationChange)
}

/// What an assignment expects to find.
public enum PatchAssignment: Sendable, Equatable {
    /// `add` in v2.1: something or nothing.
    case put
    /// `add` in v2.0: nothing.
    case insert
    /// `replace`: something.
    case replace
}

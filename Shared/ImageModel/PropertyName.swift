/// The name of a field or a custom property of an image, and what a client may do with it (Image API v2, "Create
/// image", "Update image").
public struct PropertyName: Sendable, Hashable {
    public let text: String

    public init(_ text: String) { self.text = text }

    /// In Unicode scalars.
    public static let maximumLength = 255

    /// Made up when an image is shown; a client that sends one of these back is told so before anything else.
    private static let computed: Set<String> = ["direct_url", "file", "schema", "self", "stores"]
    private static let readOnly: Set<String> = [
        "checksum", "created_at", "os_hash_algo", "os_hash_value", "size", "status", "updated_at", "virtual_size",
    ]
    private static let reserved: Set<String> = ["deleted", "deleted_at", "location"]

    public var isComputed: Bool { Self.computed.contains(text) }

    /// Belongs to the service's own bookkeeping. The prefix has no underscore at its end.
    public var isInternal: Bool { text.utf8.starts(with: "os_glance".utf8) }

    /// - Throws: ``ServiceError`` (`forbidden`) for what is made up when an image is shown. Comes before the schema.
    public func requireNotComputed() throws(ServiceError) {
        if isComputed { throw readOnlyError }
    }

    /// The rules for a name in the body of a create, after the schema.
    ///
    /// - Throws: ``ServiceError``: `forbidden` for what is read-only or reserved, `invalidRequest` for a name too long.
    public func requireCreatable() throws(ServiceError) {
        if isComputed || Self.readOnly.contains(text) { throw readOnlyError }
        if text == "locations" { throw reservedError }
        try requireNotReserved()
        try requireLength()
    }

    /// The rules for a name in any operation of a change. The `id` is given at creation and never changes.
    ///
    /// - Throws: ``ServiceError`` (`forbidden`) for what is read-only or reserved.
    public func requireChangeable() throws(ServiceError) {
        if isComputed || Self.readOnly.contains(text) || text == "id" { throw readOnlyError }
        try requireNotReserved()
    }

    /// - Throws: ``ServiceError`` (`invalidRequest`) for a name that the database could not keep.
    public func requireLength() throws(ServiceError) {
        guard text.unicodeScalars.count <= Self.maximumLength else {
            throw ServiceError(
                .invalidRequest,
                "Custom property should not be greater than \(Self.maximumLength) characters."
            )
        }
    }

    /// Why a name cannot stand beside one that Unicode takes for the same; each is a name of its own.
    var resemblance: String {
        "Two properties differ only in how the letters of '\(text.excerpt)' are composed."
    }

    private func requireNotReserved() throws(ServiceError) {
        if isInternal || Self.reserved.contains(text) { throw reservedError }
    }

    private var readOnlyError: ServiceError {
        ServiceError(.forbidden, "Attribute '\(text.excerpt)' is read-only.")
    }

    private var reservedError: ServiceError {
        ServiceError(.forbidden, "Attribute '\(text.excerpt)' is reserved.")
    }
}

extension Image {
    /// Whether it has a custom property of exactly that name, not only of one that Unicode takes for the same, as a
    /// dictionary does.
    public func holdsProperty(named name: String) -> Bool {
        properties.index(forKey: name).map { properties[$0].key.utf8.elementsEqual(name.utf8) } ?? false
    }
}

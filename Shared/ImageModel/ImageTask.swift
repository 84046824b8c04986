public import WireJSON

/// Something that is done for an image beside requests, such as an import (Image API v2, "Tasks").
public struct ImageTask: Sendable, Equatable {
    /// What a task does.
    public enum Kind: String, Sendable, CaseIterable {
        case importFromURL = "import"
        case imageImport = "api_image_import"
        case locationImport = "location_import"
    }

    public enum Status: String, Sendable, CaseIterable {
        case pending, processing, success, failure
    }

    /// A UUID.
    public var id: String
    public var kind: Kind
    public var status: Status
    /// The project for which it runs.
    public var owner: String?
    public var image: ImageID
    /// The request that started it, and who sent that.
    public var requestID: String?
    public var user: String?
    /// When it is forgotten; `nil` until it is finished.
    public var expiresAt: Timestamp?
    public var createdAt: Timestamp
    public var updatedAt: Timestamp
    /// What it was asked to do, and what came of it: objects or null.
    public var input: JSONValue
    public var result: JSONValue
    /// What it has to say, mostly of a failure.
    public var message: String

    public init(
        id: String,
        kind: Kind,
        status: Status,
        owner: String?,
        image: ImageID,
        requestID: String?,
        user: String?,
        expiresAt: Timestamp?,
        createdAt: Timestamp,
        updatedAt: Timestamp,
        input: JSONValue,
        result: JSONValue,
        message: String
    ) {
        self.id = id
        self.kind = kind
        self.status = status
        self.owner = owner
        self.image = image
        self.requestID = requestID
        self.user = user
        self.expiresAt = expiresAt
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.input = input
        self.result = result
        self.message = message
    }
}

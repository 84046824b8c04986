internal import WireJSON

/// What a change asks of an image's locations. Whether it may be done depends on options, stores and policy, so that it
/// is only read here (Image API v2, "Update image").
public enum LocationChange: Sendable, Equatable {
    case add(LocationEntry, at: LocationPosition)
    case replace([LocationEntry])
    case remove(at: LocationPosition)
}

/// Where in the list of locations.
public enum LocationPosition: Sendable, Equatable {
    /// Counted from 0. What does not fit into an `Int` is its largest value: beyond the end.
    case index(Int)
    /// Written `-`: after the last one where a location is added, the last one where one is removed.
    case end
    /// Neither; reported only once the change itself is allowed.
    case invalid

    init(parsing token: String) {
        guard token != "-" else {
            self = .end
            return
        }
        let isNumber = !token.isEmpty && token.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        self = isNumber ? .index(Int(token) ?? .max) : .invalid
    }
}

/// A location as a client writes it.
public struct LocationEntry: Sendable, Equatable {
    public var location: ImageLocation
    /// The digests that the data are said to have (`validation_data`).
    public var validation: LocationValidation?

    public init(location: ImageLocation, validation: LocationValidation? = nil) {
        self.location = location
        self.validation = validation
    }
}

/// Digests of data that the service did not see arrive, as the client says they are.
public struct LocationValidation: Sendable, Equatable {
    public var checksum: String?
    public var hashAlgorithm: String
    public var hashValue: String

    public init(checksum: String? = nil, hashAlgorithm: String, hashValue: String) {
        self.checksum = checksum
        self.hashAlgorithm = hashAlgorithm
        self.hashValue = hashValue
    }
}

extension LocationEntry {
    /// - Throws: ``JSONShapeError`` for what the image schema would not pass.
    init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        guard let metadata = members.object["metadata"]?.objectValue else {
            throw JSONShapeError(member: "metadata", reason: "must be an object")
        }
        location = ImageLocation(url: try members.string("url"), metadata: metadata)
        guard let data = members.object["validation_data"] else { return }
        let digests = try JSONMembers(data)
        validation = LocationValidation(
            checksum: try digests.optionalString("checksum"),
            hashAlgorithm: try digests.string("os_hash_algo"),
            hashValue: try digests.string("os_hash_value")
        )
    }
}

public import ImageModel
public import WireJSON

/// What the creator of a session said of the data.
public struct UploadSessionTerms: WireCodable, Equatable {
    /// Whether the data has several parts, which may come at once.
    public var isParallel: Bool
    /// The client's own notes, given back as they came.
    public var metadata: String?
    /// Hexadecimal digests by the names of their algorithms; of a finished session, all that its data was held against.
    public var digests: [String: String]

    public init(isParallel: Bool, metadata: String?, digests: [String: String]) {
        self.isParallel = isParallel
        self.metadata = metadata
        self.digests = digests
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("parallel", isParallel)
            writer.field("metadata", metadata)
            writer.field(digests: digests)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        isParallel = try members.bool("parallel")
        metadata = try members.optionalString("metadata")
        digests = try members.digests()
    }
}

extension JSONWriter {
    /// Hexadecimal digests by the names of their algorithms.
    mutating func field(digests: [String: String]) {
        name("digests")
        object { writer in
            for (name, value) in digests.sorted(by: { $0.key < $1.key }) { writer.field(name, value) }
        }
    }
}

extension JSONMembers {
    func digests() throws(JSONShapeError) -> [String: String] {
        var digests: [String: String] = [:]
        let given = try JSONMembers(.object(object(named: "digests")))
        for member in given.object.members { digests[member.name] = try given.string(member.name) }
        return digests
    }

    /// None where an older node says nothing of them.
    func digestsIfAny() throws(JSONShapeError) -> [String: String] {
        object["digests"] == nil ? [:] : try digests()
    }
}

/// What the registry knows of a session.
public struct UploadSessionRecord: WireCodable, Equatable {
    public var image: Image
    public var attempt: String
    /// The node that has the bytes.
    public var node: String
    public var store: String?
    public var url: String
    public var terms: UploadSessionTerms
    /// Where each part lies in the data, one behind the other; one where the session is not parallel.
    public var parts: [Range<Int64>]
    /// What has come so far, in order and apart from each other.
    public var received: [Range<Int64>]
    /// All of it came, and the image became active.
    public var isFinished: Bool
    /// Until when the session lives unless something comes.
    public var lease: SessionLease

    /// Length of the data as a whole in bytes, so far as it is known.
    public var byteCount: Int64 { parts.last?.upperBound ?? 0 }

    public init(
        image: Image,
        attempt: String,
        node: String,
        store: String?,
        url: String,
        terms: UploadSessionTerms,
        parts: [Range<Int64>],
        received: [Range<Int64>],
        isFinished: Bool,
        lease: SessionLease
    ) {
        self.image = image
        self.attempt = attempt
        self.node = node
        self.store = store
        self.url = url
        self.terms = terms
        self.parts = parts
        self.received = received
        self.isFinished = isFinished
        self.lease = lease
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("image")
            image.write(to: &writer)
            writer.field("attempt", attempt)
            writer.field("node", node)
            writer.field("store", store)
            writer.field("url", url)
            writer.name("terms")
            terms.write(to: &writer)
            writer.field("parts", RangeList.text(parts))
            writer.field("received", RangeList.text(received))
            writer.field("finished", isFinished)
            writer.name("lease")
            lease.write(to: &writer)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        image = try members.value("image")
        attempt = try members.string("attempt")
        node = try members.string("node")
        store = try members.optionalString("store")
        url = try members.string("url")
        terms = try members.value("terms")
        parts = try RangeList.ranges(members, "parts")
        received = try RangeList.ranges(members, "received")
        isFinished = try members.bool("finished")
        lease = try members.value("lease")
    }
}

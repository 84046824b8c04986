public import WireJSON

/// Which images a list shows, in which order, and how many of them (Image API v2, "List images").
public struct ImageListQuery: Sendable, Equatable {
    /// How many images at most; 0 asks for an empty page.
    public var limit: Int
    /// The page begins after this image. Whether there is such an image is the database's to say.
    public var marker: ImageID?
    /// Ends with what makes the order total; never empty, no key twice.
    public var sort: [ImageSort]
    /// All must hold.
    public var filters: [ImageFilter]
    public var visibility: VisibilityFilter
    public var memberStatus: MemberStatusFilter
    /// Shows hidden images only, instead of the others only.
    public var hidden: Bool
    /// Asks for the newest image alone: its page has no successor. Not sent to the registry, which is told by filters, order
    /// and limit.
    public var newestOnly = false

    public init(
        limit: Int,
        marker: ImageID? = nil,
        sort: [ImageSort] = Self.defaultSort,
        filters: [ImageFilter] = [],
        visibility: VisibilityFilter = .unspecified,
        memberStatus: MemberStatusFilter = .accepted,
        hidden: Bool = false
    ) {
        self.limit = limit
        self.marker = marker
        self.sort = sort
        self.filters = filters
        self.visibility = visibility
        self.memberStatus = memberStatus
        self.hidden = hidden
    }

    /// The newest first.
    public static let defaultSort = [ImageSort(.createdAt, .descending), ImageSort(.id, .descending)]
}

/// What a list restricts among the images that the caller may see.
public enum VisibilityFilter: Sendable, Equatable {
    /// Community images only where they are the caller's project's own.
    case unspecified
    /// Other projects' community images, too.
    case all
    case only(Visibility)
    /// An empty parameter: no image matches.
    case nothing
}

/// Which images that other projects share with the caller are shown, by the caller's answer to the sharing.
public enum MemberStatusFilter: String, Sendable, CaseIterable {
    case pending, accepted, rejected, all
}

extension VisibilityFilter: WireCodable {
    public func write(to writer: inout JSONWriter) {
        switch self {
        case .unspecified: writer.string("unspecified")
        case .all: writer.string("all")
        case .only(let visibility): writer.string(visibility.rawValue)
        case .nothing: writer.string("nothing")
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        switch json.stringValue {
        case "unspecified": self = .unspecified
        case "all": self = .all
        case "nothing": self = .nothing
        case let word:
            guard let visibility = word.flatMap(Visibility.init(rawValue:)) else {
                throw JSONShapeError(member: "visibility", reason: "is an unknown word")
            }
            self = .only(visibility)
        }
    }
}

extension MemberStatusFilter: WireCodable {
    public func write(to writer: inout JSONWriter) { writer.string(rawValue) }

    public init(json: JSONValue) throws(JSONShapeError) {
        guard let filter = json.stringValue.flatMap(Self.init(rawValue:)) else {
            throw JSONShapeError(member: "member_status", reason: "is an unknown word")
        }
        self = filter
    }
}

extension ImageListQuery: WireCodable {
    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("limit", limit)
            writer.field("marker", marker?.text)
            writer.field("sort", array: sort) { $1.write(to: &$0) }
            writer.field("filters", array: filters) { $1.write(to: &$0) }
            writer.name("visibility")
            visibility.write(to: &writer)
            writer.name("member_status")
            memberStatus.write(to: &writer)
            writer.field("hidden", hidden)
        }
    }

    public init(json: JSONValue) throws(JSONShapeError) {
        let members = try JSONMembers(json)
        guard let limit = Int(exactly: try members.integer("limit")), limit >= 0 else {
            throw JSONShapeError(member: "limit", reason: "must not be negative")
        }
        var marker: ImageID?
        if let text = try members.optionalString("marker") {
            guard let id = ImageID(text) else { throw JSONShapeError(member: "marker", reason: "is no image id") }
            marker = id
        }
        self.init(
            limit: limit,
            marker: marker,
            sort: try members.values("sort"),
            filters: try members.values("filters"),
            visibility: try members.value("visibility"),
            memberStatus: try members.value("member_status"),
            hidden: try members.bool("hidden")
        )
    }
}

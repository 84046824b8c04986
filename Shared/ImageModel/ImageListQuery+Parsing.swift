/// How many images a page holds (options `limit_param_default`, `api_limit_max`).
public struct PageLimits: Sendable, Equatable {
    public var `default`: Int
    public var maximum: Int

    public init(default: Int = 25, maximum: Int = 1000) {
        self.default = `default`
        self.maximum = maximum
    }
}

extension ImageListQuery {
    /// Reads the parameters of a request, decoded and in their order. Of a parameter that may be given once, the last
    /// value counts.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    public init(parameters: [(name: String, value: String)], paging: PageLimits = PageLimits()) throws(ServiceError) {
        var last: [String: String] = [:]
        for (name, value) in parameters { last[name] = value }
        func all(_ name: String) -> [String] { parameters.filter { $0.name == name }.map(\.value) }
        self.init(
            limit: try Self.limit(last["limit"], paging),
            marker: try Self.marker(last["marker"]),
            sort: try ImageSort.parse(sort: last["sort"], keys: all("sort_key"), directions: all("sort_dir")),
            visibility: try Self.visibility(last["visibility"]),
            memberStatus: try Self.memberStatus(last["member_status"]),
            hidden: try Self.hidden(last["os_hidden"])
        )
        var seen: Set<String> = []
        var conditions = 0
        for (name, value) in parameters {
            switch name {
            case "limit", "marker", "sort", "sort_key", "sort_dir", "visibility", "member_status", "os_hidden": break
            // Deleted images are never listed, whatever a client asks for.
            case "deleted": break
            case "changes-since":
                throw ServiceError(.invalidRequest, "The \"changes-since\" filter is no longer available on v2.")
            case "tag":
                let filter = try ImageFilter(parameter: name, value)
                if !filters.contains(filter) { filters.append(filter) }
            case "os_glance_filter":
                conditions += 1
                guard conditions <= ImageFilter.maximumConditions else {
                    throw ServiceError(
                        .invalidRequest,
                        "There are more than \(ImageFilter.maximumConditions) os_glance_filter parameters."
                    )
                }
                filters.append(try ImageFilter(search: value))
            case "os_glance_newest": break
            default:
                guard seen.insert(name).inserted, let value = last[name] else { continue }
                filters.append(try ImageFilter(parameter: name, value))
            }
            guard filters.count <= ImageFilter.maximumCount else {
                throw ServiceError(.invalidRequest, "There are more than \(ImageFilter.maximumCount) filters.")
            }
        }
        if let family = last["os_glance_newest"] { try restrict(toNewestOf: family) }
    }

    /// Leaves the newest active image of a family. An order has nothing to say about one image, and so is passed over.
    private mutating func restrict(toNewestOf family: String) throws(ServiceError) {
        guard !hidden else {
            throw ServiceError(.invalidRequest, "os_glance_newest cannot be combined with os_hidden=true.")
        }
        guard marker == nil else {
            throw ServiceError(.invalidRequest, "os_glance_newest cannot be combined with marker.")
        }
        filters += [try ImageFilter(family: family), .text(.status, anyOf: [ImageStatus.active.rawValue])]
        sort = Self.defaultSort
        limit = min(limit, 1)
        newestOnly = true
    }

    private static func limit(_ text: String?, _ paging: PageLimits) throws(ServiceError) -> Int {
        guard let text else { return min(paging.default, paging.maximum) }
        guard let limit = text.clampedInteger else {
            throw ServiceError(.invalidRequest, "limit param must be an integer")
        }
        guard limit >= 0 else { throw ServiceError(.invalidRequest, "limit param must be positive") }
        return Int(min(limit, Int64(paging.maximum)))
    }

    /// What is no id belongs to no image.
    private static func marker(_ text: String?) throws(ServiceError) -> ImageID? {
        guard let text else { return nil }
        guard let id = ImageID(text) else {
            throw ServiceError(.invalidRequest, "No image found with ID \(text.excerpt)")
        }
        return id
    }

    private static func visibility(_ text: String?) throws(ServiceError) -> VisibilityFilter {
        switch text {
        case nil: return .unspecified
        case "": return .nothing
        case "all": return .all
        case let text?:
            guard let visibility = Visibility(rawValue: text) else {
                throw ServiceError(.invalidRequest, "Invalid visibility value: \(text.excerpt)")
            }
            return .only(visibility)
        }
    }

    private static func memberStatus(_ text: String?) throws(ServiceError) -> MemberStatusFilter {
        guard let text else { return .accepted }
        guard let status = MemberStatusFilter(rawValue: text) else {
            throw ServiceError(.invalidRequest, "Invalid status: \(text.excerpt)")
        }
        return status
    }

    private static func hidden(_ text: String?) throws(ServiceError) -> Bool {
        switch text?.lowercased() {
        case nil, "false": return false
        case "true": return true
        case _:
            throw ServiceError(
                .invalidRequest,
                "Invalid value '\((text ?? "").excerpt)' for 'os_hidden' filter. Valid values are 'true' or 'false'."
            )
        }
    }
}

internal import ImageModel

/// One way on which a list meets images `i`: all of them, or those that rows of another table name.
struct ImageWalk {
    /// What names the images; `nil` where they are walked themselves.
    var rows: ImageRows?
    /// What must hold of an image that is met.
    var condition: SQLCondition
    /// Whether the index that finds the images has them in another order than lists.
    var isUnordered = false
    /// Whether no other index than the walk's own has the images in the order that it is in, and what else is asked of an
    /// image leads nowhere.
    var isTheOnlyWay = false

    /// A walk over the images themselves.
    init(_ condition: SQLCondition) { self.condition = condition }

    /// A walk over what names images.
    init(_ rows: ImageRows) {
        self.rows = rows
        condition = rows.condition
        if let exactly = rows.exactly { condition.add(exactly) }
        condition.add("i.id = d.image_id")
    }

    /// Joined in this order: SQLite takes the tables of a `CROSS JOIN` as they are written.
    var source: SQLCondition {
        guard let rows else { return SQLCondition("images i") }
        return SQLCondition("\(rows.source.sql) CROSS JOIN images i", rows.source.values)
    }

    /// Read from the rows where these have it: an index of theirs gives the order then.
    func expression(_ sort: ImageSort) -> String {
        guard let rows, rows.areInOrderOfCreation else { return sort.expression }
        switch sort.key {
        case .createdAt: return "d.image_created_at"
        case .id: return "d.image_id"
        case .name, .status, .containerFormat, .diskFormat, .size, .updatedAt: return sort.expression
        }
    }

    /// Whether an index has the images in this order, so that a page ends after as many as it holds.
    ///
    /// A wrong guess costs time, no more: the order is asked for in any case.
    func hasOrder(_ order: [ImageSort]) -> Bool {
        if let rows { return rows.areInOrderOfCreation && order.isByCreation }
        return !isUnordered && (order.isByCreation || order.isByName)
    }
}

// Image API v2, visibility in lists: wider than nothing, narrower than what an id opens.
extension ImageWalk {
    /// What the caller is shown, as walks that each have an index; no image lies on two. Those over what has the list's
    /// leading tag leave out the rest.
    static func audience(of query: ImageListQuery, _ caller: Caller, _ dialect: SQLDialect) -> [ImageWalk] {
        if caller.isAdmin { return [ImageWalk(restriction(query, caller))] }
        let tag = query.leadingTag(for: caller)
        if let project = caller.project, query.soleOwner == project { return [owned(by: project, query, tag)] }
        var own: [ImageWalk] = []
        var others = SQLCondition("1 = 1")
        if let project = caller.project, query.soleOwner == nil, !query.showsOpenOnly {
            own = [owned(by: project, query, tag)]
            others = SQLCondition("(i.owner IS NULL OR i.owner <> ?)", [.text(project)])
        }
        var walks = query.openVisibilities.map { open($0, tag, dialect) }
        if query.showsShared { walks += shared(with: caller.project, query.memberStatus) }
        return own
            + walks.map { walk in
                var walk = walk
                walk.condition.add(others)
                return walk
            }
    }

    private static func open(_ visibility: Visibility, _ tag: LeadingTag?, _ dialect: SQLDialect) -> ImageWalk {
        guard let tag else { return ImageWalk(.open("i", visibility, dialect)) }
        var walk = ImageWalk(ImageRows(tagged: tag, open: visibility, dialect))
        walk.condition.add(has(visibility))
        return walk
    }

    private static func owned(by project: String, _ query: ImageListQuery, _ tag: LeadingTag?) -> ImageWalk {
        var walk = owned(by: project, tag)
        if case .only(let visibility) = query.visibility { walk.condition.add(has(visibility)) }
        return walk
    }

    private static func owned(by project: String, _ tag: LeadingTag?) -> ImageWalk {
        if let tag {
            var walk = ImageWalk(ImageRows(tagged: tag, ownedBy: project))
            // Who owns an image and who sees it is asked of the image itself in any case.
            walk.condition.add(ofEach: "i.owner = ?", .text(project))
            return walk
        }
        // The bounds follow from the first condition. With them PostgreSQL expects few images whatever others own, and takes
        // this walk's index rather than meeting some of the project's among all images.
        return ImageWalk(
            SQLCondition("i.owner = ? AND i.owner >= ? AND i.owner <= ?", Array(repeating: .text(project), count: 3))
        )
    }

    private static func shared(with project: String?, _ status: MemberStatusFilter) -> [ImageWalk] {
        guard let project else { return [ImageWalk(sharedWithAnybody(status))] }
        return memberships(of: project, status).map { rows in
            var walk = ImageWalk(rows)
            walk.condition.add(ofEach: "i.visibility = 'shared'")
            return walk
        }
    }

    /// What callers without a project are shown of what is shared.
    static func sharedWithAnybody(_ status: MemberStatusFilter) -> SQLCondition {
        var condition = SQLCondition("i.visibility = 'shared'")
        condition.add(membership(status, project: nil))
        return condition
    }

    /// What is shared with a project, by each answer that is asked for.
    private static func memberships(of project: String, _ status: MemberStatusFilter) -> [ImageRows] {
        MemberStatusFilter.allCases.filter { $0 != .all && (status == .all || status == $0) }
            .map { ImageRows(sharedWith: project, $0) }
    }

    /// What of others is looked through for a tag, as rows of each walk over it.
    static func memberships(in query: ImageListQuery, _ caller: Caller) -> [ImageRows] {
        guard let project = caller.project, query.showsShared, query.soleOwner != project else { return [] }
        return memberships(of: project, query.memberStatus)
    }

    /// Leaves of any images what the caller is shown.
    static func restriction(_ query: ImageListQuery, _ caller: Caller) -> SQLCondition {
        var condition = SQLCondition("1 = 1")
        if !caller.isAdmin {
            let sharing = membership(query.memberStatus, project: caller.project)
            if let project = caller.project {
                condition = SQLCondition(
                    "(i.visibility IN ('public', 'community') OR i.owner = ? OR (i.visibility = 'shared' AND \(sharing.sql)))",
                    [.text(project)] + sharing.values
                )
            } else {
                condition = SQLCondition(
                    "(i.visibility IN ('public', 'community') OR (i.visibility = 'shared' AND \(sharing.sql)))",
                    sharing.values
                )
            }
        }
        switch query.visibility {
        case .all, .nothing: break
        case .only(let visibility) where query.filters.contains(where: \.leads):
            condition.add(has(visibility))
        case .only(let visibility): condition.add("i.visibility = ?", .text(visibility.rawValue))
        case .unspecified:
            if let project = caller.project {
                condition.add("(i.visibility <> 'community' OR i.owner = ?)", .text(project))
            } else {
                condition.add("i.visibility <> 'community'")
            }
        }
        return condition
    }

    /// In other words than an index of visibilities knows, where another leads to fewer images.
    private static func has(_ visibility: Visibility) -> SQLCondition {
        let others = Visibility.allCases.filter { $0 != visibility }.map { "'\($0.rawValue)'" }
        return SQLCondition("i.visibility NOT IN (\(others.joined(separator: ", ")))")
    }

    /// Shared with a project, in the member status that was asked for; without a project, with anybody.
    private static func membership(_ status: MemberStatusFilter, project: String?) -> SQLCondition {
        var condition = SQLCondition("m.image_id = i.id")
        if let project { condition.add("m.member = ?", .text(project)) }
        if status != .all { condition.add("m.status = ?", .text(status.rawValue)) }
        return SQLCondition("EXISTS (SELECT 1 FROM image_members m WHERE \(condition.sql))", condition.values)
    }
}

extension ImageListQuery {
    /// Whether no column is asked that another index begins with than those of the walks, so that these stay the only ones.
    func leavesTheOrder(for caller: Caller) -> Bool {
        guard filters.allSatisfy(\.leavesTheOrder) else { return false }
        if caller.isAdmin { return visibility == .unspecified || visibility == .all }
        return caller.project != nil
    }

    /// The one project whose images are asked for.
    fileprivate var soleOwner: String? {
        for case .text(.owner, let owners) in filters where owners.count == 1 { return owners[0] }
        return nil
    }

    /// Images that everybody is shown, the caller's own included, and no others.
    fileprivate var showsOpenOnly: Bool { visibility == .only(.public) || visibility == .only(.community) }

    fileprivate var openVisibilities: [Visibility] {
        switch visibility {
        case .unspecified: [.public]
        case .all: [.public, .community]
        case .only(let visibility): [visibility].filter { $0 == .public || $0 == .community }
        case .nothing: []
        }
    }

    fileprivate var showsShared: Bool {
        switch visibility {
        case .unspecified, .all: true
        case .only(let visibility): visibility == .shared
        case .nothing: false
        }
    }
}

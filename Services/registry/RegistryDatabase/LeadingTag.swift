internal import ImageModel

/// A tag that a member's list asks for, and over whose images its walks go.
struct LeadingTag {
    /// Among the list's filters.
    var place: Int
    var value: String
}

extension ImageListQuery {
    /// The first tag that is asked for, in a list whose order tags have and of a caller by whose project they are found;
    /// `nil` where there is none, or an index of images leads to what else is asked for.
    func leadingTag(for caller: Caller) -> LeadingTag? {
        guard !caller.isAdmin, let project = caller.project, sort.isByCreation else { return nil }
        guard filters.allSatisfy({ !$0.leads || $0 == .text(.owner, anyOf: [project]) }) else { return nil }
        for (place, filter) in filters.enumerated() {
            if case .tag(let value) = filter { return LeadingTag(place: place, value: value) }
        }
        return nil
    }
}

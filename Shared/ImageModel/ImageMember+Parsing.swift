public import WireJSON

extension ImageMember {
    /// As many characters as a project's id may have wherever the service keeps one.
    private static let longestProject = 255

    /// The project that a client names to share an image with: `{"member": "project"}`. A number is taken as text.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    public static func project(parsing body: JSONValue) throws(ServiceError) -> String {
        let form = ServiceError(.invalidRequest, #"Expected a member in the form: {"member": "image_id"}"#)
        guard let object = body.objectValue else { throw form }
        guard let member = object["member"] else {
            throw ServiceError(.invalidRequest, "Member to be added not specified")
        }
        let project: String
        switch member {
        case .string(let text): project = text
        case .integer(0), .double(0), .bool(false), .null, .array([]), .object([:]): project = ""
        case .integer, .double: project = member.text
        case .bool, .array, .object: throw form
        }
        guard !project.isEmpty else { throw ServiceError(.invalidRequest, "Member can't be empty") }
        guard project.unicodeScalars.count <= longestProject else {
            throw ServiceError(.invalidRequest, "Member can't be longer than \(longestProject) characters")
        }
        return project
    }
}

extension MemberStatus {
    /// The answer that a client gives: `{"status": "accepted"}`.
    ///
    /// - Returns: `nil` for what is no status: ``unknown`` is for those alone who may change the status at all.
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    public static func requested(by body: JSONValue) throws(ServiceError) -> MemberStatus? {
        guard let object = body.objectValue else {
            throw ServiceError(.invalidRequest, #"Expected a status in the form: {"status": "status"}"#)
        }
        guard let status = object["status"] else { throw ServiceError(.invalidRequest, "Status not specified") }
        return status.stringValue.flatMap(MemberStatus.init)
    }

    /// The refusal of a word that is no status.
    public static let unknown = ServiceError(
        .invalidRequest,
        #"Status must be "pending", "accepted" or "rejected"."#
    )
}

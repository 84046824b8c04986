internal import Hummingbird
internal import ImageModel

/// `/v2/images/{id}/members` and `/v2/images/{id}/members/{member_id}`.
struct ImageMemberRoutes: Sendable {
    let membership: ImageMembership

    var routes: [Route] {
        [
            Route(.get, "/images/{id}/members", list),
            Route(.post, "/images/{id}/members", add),
            Route(.get, "/images/{id}/members/{member_id}", show),
            Route(.put, "/images/{id}/members/{member_id}", answer),
            Route(.delete, "/images/{id}/members/{member_id}", remove),
        ]
    }

    @Sendable func list(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let members = try await membership.list(
            of: try imageID(request),
            as: request.caller,
            requestID: request.requestID
        )
        return .json(.ok, ImageMemberDocument.bytes(list: members))
    }

    /// The answer is 200, not 201: it names no place of its own.
    @Sendable func add(_ request: APIRequest) async throws -> Response {
        let member = try await membership.add(
            try ImageMember.project(parsing: try await request.document()),
            to: try imageID(request),
            as: request.caller,
            requestID: request.requestID
        )
        return .json(.ok, ImageMemberDocument.bytes(member))
    }

    @Sendable func show(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        let member = try await membership.show(
            memberID(request),
            of: try imageID(request),
            as: request.caller,
            requestID: request.requestID
        )
        return .json(.ok, ImageMemberDocument.bytes(member))
    }

    @Sendable func answer(_ request: APIRequest) async throws -> Response {
        let member = try await membership.answer(
            try MemberStatus.requested(by: try await request.document()),
            as: memberID(request),
            of: try imageID(request),
            by: request.caller,
            requestID: request.requestID
        )
        return .json(.ok, ImageMemberDocument.bytes(member))
    }

    @Sendable func remove(_ request: APIRequest) async throws -> Response {
        try request.requireNoBody()
        try await membership.remove(
            memberID(request),
            from: try imageID(request),
            as: request.caller,
            requestID: request.requestID
        )
        return .empty()
    }

    private func imageID(_ request: APIRequest) throws(ServiceError) -> ImageID {
        try request.imageID { "Image \($0) not found." }
    }

    private func memberID(_ request: APIRequest) -> String { request.parameters["member_id"] ?? "" }
}

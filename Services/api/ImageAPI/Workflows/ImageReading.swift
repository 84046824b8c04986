internal import ImageModel
internal import Policy
internal import RegistryContract

/// Shows one image, or a page of them: one exchange each.
struct ImageReading: Sendable {
    let registry: any RegistryClient
    let policy: ImagePolicy
    let protections: PropertyProtections

    func show(_ id: ImageID, as caller: Caller, requestID: String) async throws -> Image {
        let image = try await registry.image(id, as: caller, requestID: requestID)
        try policy.require(.getImage, on: image, by: caller)
        return image
    }

    /// What is or was done for an image. Every reason not to tell looks alike.
    func tasks(of id: ImageID, as caller: Caller, requestID: String) async throws -> [ImageTask] {
        do throws(ServiceError) {
            let found = try await registry.ask(ListImageTasks(image: id), as: caller, requestID: requestID)
            try policy.require(.getImage, on: found.image, by: caller)
            return found.tasks
        } catch {
            guard error.code == .notFound || error.code == .forbidden else { throw error }
            throw ServiceError(.notFound, "The resource could not be found.", cause: error)
        }
    }

    struct Page: Sendable {
        var images: [Image]
        /// The image after which the next page begins, where there may be one.
        var next: String?
    }

    func list(_ query: ImageListQuery, as caller: Caller, requestID: String) async throws -> Page {
        try policy.require(.getImages, .project(of: caller), by: caller)
        try requireReadable(query.filters, by: caller)
        let found = try await registry.ask(ListImages(query: query), as: caller, requestID: requestID).images
        let shown = try found.filter { image in
            try policy.mayDo(.getImage, PolicyTarget(image: image, caller: caller), by: caller)
        }
        // A full page of the database may have a successor, whatever policy left of it.
        let isFull = query.limit > 0 && !query.newestOnly && found.count == query.limit
        return Page(images: shown, next: isFull ? shown.last?.id.text : nil)
    }

    /// A search would tell the value of a property letter by letter. Filters in Glance's own form ask whole values, and are
    /// let through as there.
    private func requireReadable(_ filters: [ImageFilter], by caller: Caller) throws(ServiceError) {
        for case .condition(let condition) in filters {
            if case .property(let name) = condition.subject { try protections.require(.read, name, by: caller) }
        }
    }
}

extension RegistryClient {
    /// An operation whose failure is told in the words of the domain.
    func ask<Operation: RegistryOperation>(
        _ operation: Operation,
        as caller: Caller,
        requestID: String
    ) async throws(ServiceError) -> Operation.Response {
        do {
            return try await call(operation, as: caller, requestID: requestID)
        } catch {
            throw ServiceError(error)
        }
    }

    func image(_ id: ImageID, as caller: Caller, requestID: String) async throws(ServiceError) -> Image {
        try await ask(ShowImage(id: id), as: caller, requestID: requestID)
    }
}

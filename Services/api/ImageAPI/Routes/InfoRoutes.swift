internal import Hummingbird
internal import ImageModel
internal import Policy
internal import StoreLayer
internal import WireJSON

/// `/v2/info/…`: what this site offers. Internal stores are never shown.
struct InfoRoutes: Sendable {
    let settings: ImageAPISettings
    let policy: ImagePolicy
    let quotas: UsageQuotas

    var routes: [Route] {
        [
            Route(.get, "/info/import", importMethods),
            Route(.get, "/info/stores", stores),
            Route(.get, "/info/stores/detail", storesInDetail),
            Route(.get, "/info/usage", isAdvertised: false, usage),
        ]
    }

    @Sendable func importMethods(_ request: APIRequest) throws -> Response {
        try request.requireNoBody()
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("import-methods") { writer in
                writer.field("description", "Import methods available.")
                writer.field("type", "array")
                writer.field("value", strings: settings.importMethods)
            }
        }
        return .json(.ok, writer.bytes)
    }

    @Sendable func stores(_ request: APIRequest) throws -> Response {
        try request.requireNoBody()
        return try document { _, _ in }
    }

    @Sendable func storesInDetail(_ request: APIRequest) throws -> Response {
        try request.requireNoBody()
        try requireSeveralStores()
        try policy.require(.storesInfoDetail, .none, by: request.caller)
        return try document { writer, entry in
            let details = entry.store.details
            writer.field("type", details.type)
            writer.field("weight", entry.weight)
            writer.field("properties") { writer in
                for property in details.properties {
                    switch property.value {
                    case .text(let value): writer.field(property.name, value)
                    case .number(let value): writer.field(property.name, value)
                    case .flag(let value): writer.field(property.name, value)
                    }
                }
            }
        }
    }

    /// Without unified limits none is shown.
    @Sendable func usage(_ request: APIRequest) async throws -> Response {
        let entries = try await quotas.report(for: request.caller, requestID: request.requestID)
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("usage") { writer in
                for entry in entries {
                    writer.field(entry.limit.rawValue) { writer in
                        writer.field("usage", entry.usage)
                        writer.field("limit", entry.maximum)
                    }
                }
            }
        }
        return .json(.ok, writer.bytes)
    }

    private func requireSeveralStores() throws(ServiceError) {
        guard settings.catalogue.isMultiStore else {
            throw ServiceError(.notFound, "Multi backend is not supported at this site.")
        }
    }

    private func document(
        _ more: (inout JSONWriter, StoreCatalogue.Entry) -> Void
    ) throws(ServiceError) -> Response {
        try requireSeveralStores()
        let catalogue = settings.catalogue
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("stores", array: catalogue.entries) { writer, entry in
                writer.object { writer in
                    writer.field("id", entry.identifier)
                    if let description = entry.description { writer.field("description", description) }
                    // Both are words, and there only when they hold.
                    if entry.identifier == catalogue.defaultStore.identifier { writer.field("default", "true") }
                    if !entry.store.capabilities.contains(.write) { writer.field("read-only", "true") }
                    more(&writer, entry)
                }
            }
        }
        return .json(.ok, writer.bytes)
    }
}

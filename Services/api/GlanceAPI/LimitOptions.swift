import Identity
import ImageAPI
import ImageModel
import ServiceKit

/// Unified limits, with Glance's and oslo.limit's names.
enum LimitOptions {
    private static let section = "oslo_limit"

    static let isUsed = ConfigurationOption.boolean(
        "DEFAULT",
        "use_keystone_limits",
        default: false,
        help:
            "Hold projects to the unified limits that Keystone keeps for them (image_size_total, image_stage_total, "
            + "image_count_total, image_count_uploading; one that is not registered is 0), instead of user_storage_quota."
    )
    static let endpointID = text("endpoint_id", "Id of this service's endpoint, under which its limits are registered.")
    static let serviceName = text("endpoint_service_name", "Name of this service, where endpoint_id is unset.")
    static let serviceType = text("endpoint_service_type", "Type of this service, where endpoint_id is unset.")
    static let region = text("endpoint_region_name", "Region of the endpoint, where endpoint_id is unset.")
    static let interface = ConfigurationOption.string(
        section,
        "endpoint_interface",
        default: "public",
        help: "Interface of the endpoint, where endpoint_id is unset: public, internal or admin."
    )

    static let all: [OptionDescription] =
        [
            OptionDescription(isUsed), OptionDescription(endpointID), OptionDescription(serviceName),
            OptionDescription(serviceType), OptionDescription(region), OptionDescription(interface),
        ] + KeystoneOptions.account.map { OptionDescription($0.inSection(section)) }

    /// Who tells limits; `nil` where none are used. Without an account in `[oslo_limit]` the one of `[keystone_authtoken]`
    /// asks.
    static func keystone(in configuration: ServiceConfiguration) throws -> KeystoneLimits? {
        guard try configuration.value(of: isUsed) else { return nil }
        let hasAccount = configuration.isSet(KeystoneOptions.authURL.inSection(section))
        let settings =
            hasAccount
            ? try KeystoneOptions.login(in: configuration, section: section)
            : try KeystoneOptions.settings(in: configuration)
        do {
            return try KeystoneLimits(settings, endpoint: try endpoint(in: configuration), now: { .now })
        } catch let error as KeystoneFailure {
            throw ProgramFailure("[oslo_limit]: \(error)")
        }
    }

    private static func endpoint(in configuration: ServiceConfiguration) throws -> LimitsEndpoint {
        if let id = try configuration.value(of: endpointID) { return .id(id) }
        let name = try configuration.value(of: serviceName)
        let type = try configuration.value(of: serviceType)
        guard name != nil || type != nil else {
            throw ConfigurationError(
                "[oslo_limit] endpoint_id is not set, and use_keystone_limits needs it to tell this service's limits"
            )
        }
        let word = try configuration.value(of: interface)
        guard ["public", "internal", "admin"].contains(word) else {
            throw configuration.refusal(of: interface, because: "public, internal or admin is expected")
        }
        return .named(name, type: type, region: try configuration.value(of: region), interface: word)
    }

    private static func text(_ name: String, _ help: String) -> ConfigurationOption<String?> {
        .optionalString(section, name, help: help)
    }
}

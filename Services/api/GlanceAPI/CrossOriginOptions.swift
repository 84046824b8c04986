import ImageAPI
import ServiceKit

/// `[cors]`, with the names and defaults of oslo.middleware as Glance sets them.
enum CrossOriginOptions {
    static let allowedOrigin = ConfigurationOption.list(
        "cors",
        "allowed_origin",
        default: [],
        help: "Origins whose web pages may use the API, such as https://dashboard.example:8443; * for any. "
            + "No answer is touched when empty."
    )
    static let allowCredentials = ConfigurationOption.boolean(
        "cors",
        "allow_credentials",
        default: true,
        help: "Let these pages send credentials."
    )
    static let maxAge = ConfigurationOption.integer(
        "cors",
        "max_age",
        default: 3600,
        in: 0...Int(Int32.max),
        help: "How long a browser may remember what it was allowed, in seconds; 0 leaves it to the browser."
    )
    static let exposeHeaders = ConfigurationOption.list(
        "cors",
        "expose_headers",
        default: [
            "X-Image-Meta-Checksum", "X-Auth-Token", "X-Subject-Token", "X-Service-Token", "X-OpenStack-Request-ID",
        ],
        help: "Headers of answers that these pages may read."
    )
    static let allowMethods = ConfigurationOption.list(
        "cors",
        "allow_methods",
        default: ["GET", "PUT", "POST", "DELETE", "PATCH"],
        help: "Methods that these pages may use."
    )
    static let allowHeaders = ConfigurationOption.list(
        "cors",
        "allow_headers",
        default: [
            "Content-MD5", "X-Image-Meta-Checksum", "X-Storage-Token", "Accept-Encoding", "X-Auth-Token",
            "X-Identity-Status", "X-Roles", "X-Service-Catalog", "X-User-Id", "X-Tenant-Id", "X-OpenStack-Request-ID",
        ],
        help: "Headers that these pages may send, besides the harmless ones that browsers always may."
    )

    static let all: [OptionDescription] = [
        OptionDescription(allowedOrigin), OptionDescription(allowCredentials), OptionDescription(maxAge),
        OptionDescription(exposeHeaders), OptionDescription(allowMethods), OptionDescription(allowHeaders),
    ]

    static func rules(in configuration: ServiceConfiguration) throws(ConfigurationError) -> CrossOrigin {
        var rules = CrossOrigin()
        rules.allowedOrigins = Set(try configuration.value(of: allowedOrigin))
        rules.allowsCredentials = try configuration.value(of: allowCredentials)
        rules.maximumAge = try configuration.value(of: maxAge)
        rules.exposedHeaders = try configuration.value(of: exposeHeaders)
        rules.allowedMethods = try configuration.value(of: allowMethods)
        rules.allowedHeaders = try configuration.value(of: allowHeaders)
        return rules
    }
}

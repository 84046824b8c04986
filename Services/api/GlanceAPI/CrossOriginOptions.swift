import ImageAPI
import ServiceKit

/// `[cors]` and `[cors.<name>]`, with the names and defaults of oslo.middleware as Glance sets them.
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

    /// A section of its own for some origins, as `[cors.dashboard]`.
    static let pattern = "<cors.name>"

    static let all: [OptionDescription] = ["cors", pattern].flatMap { section in
        [
            OptionDescription(allowedOrigin.inSection(section)), OptionDescription(allowCredentials.inSection(section)),
            OptionDescription(maxAge.inSection(section)), OptionDescription(exposeHeaders.inSection(section)),
            OptionDescription(allowMethods.inSection(section)), OptionDescription(allowHeaders.inSection(section)),
        ]
    }

    /// `[cors]`, then every `[cors.<name>]`, which may differ from it and has origins of its own.
    static func rules(in configuration: ServiceConfiguration) throws(ConfigurationError) -> CrossOrigin {
        var rules = [try self.rules(of: "cors", in: configuration)]
        for section in configuration.sections where section.lowercased().hasPrefix("cors.") {
            rules.append(try self.rules(of: section, in: configuration))
        }
        return CrossOrigin(rules.filter { !$0.allowedOrigins.isEmpty })
    }

    private static func rules(
        of section: String,
        in configuration: ServiceConfiguration
    ) throws(ConfigurationError) -> CrossOrigin.Rules {
        /// What a named section leaves out is taken from `[cors]`, but for the origins.
        func value<Value>(_ option: ConfigurationOption<Value>) throws(ConfigurationError) -> Value {
            let own = option.inSection(section)
            return try configuration.value(of: configuration.isSet(own) ? own : option)
        }
        var rules = CrossOrigin.Rules()
        rules.allowedOrigins = Set(try configuration.value(of: allowedOrigin.inSection(section)))
        rules.allowsCredentials = try value(allowCredentials)
        rules.maximumAge = try value(maxAge)
        rules.exposedHeaders = try value(exposeHeaders)
        rules.allowedMethods = try value(allowMethods)
        rules.allowedHeaders = try value(allowHeaders)
        return rules
    }
}

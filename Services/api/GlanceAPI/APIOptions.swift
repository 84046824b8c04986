import Digests
import ImageAPI
import ImageModel
import ServiceKit

/// The options of glance-api, in the order in which they are documented.
enum APIOptions {
    static let listening = ListeningOptions(defaultHost: "0.0.0.0", defaultPort: 9292)

    // MARK: Who is calling

    enum Strategy: String, CaseIterable, Sendable {
        case httpBasic = "http_basic"
        case trustedHeaders = "trusted_headers"
        case noauth
    }

    static let strategy = ConfigurationOption.optionalChoice(
        "DEFAULT",
        "auth_strategy",
        of: Strategy.self,
        help: "How callers are identified: http_basic (a password file), trusted_headers (a proxy on this machine sets "
            + "identity headers) or noauth (everybody is an administrator)."
    )
    static let userFile = ConfigurationOption.string(
        "DEFAULT",
        "http_basic_auth_user_file",
        default: "/etc/glance/htpasswd",
        help: "Password file of http_basic: lines 'name:bcrypt-hash:project=P;roles=a,b;user=ID'. "
            + "'glance-api user' adds users."
    )
    static let allowsAnonymous = ConfigurationOption.boolean(
        "DEFAULT",
        "allow_anonymous_access",
        default: false,
        help:
            "Let callers without credentials in, as readers without user, project and roles: policy decides what they see."
    )
    static let noauthUser = ConfigurationOption.string(
        "noauth",
        "user_id",
        default: "admin",
        help: "The user that every caller is under noauth."
    )
    static let noauthProject = ConfigurationOption.string(
        "noauth",
        "project_id",
        default: "admin",
        help: "The project that every caller acts for under noauth."
    )
    static let noauthRoles = ConfigurationOption.list(
        "noauth",
        "roles",
        default: ["admin", "manager", "member", "reader"],
        help: "The roles that every caller has under noauth."
    )
    static let noauthAnywhere = ConfigurationOption.boolean(
        "noauth",
        "insecure_allow_anyone_from_anywhere",
        default: false,
        help: "Serve noauth on an address that other machines can reach. Whoever reaches it may read, change and "
            + "delete every image."
    )

    // MARK: The API

    static let publicEndpoint = ConfigurationOption.optionalString(
        "DEFAULT",
        "public_endpoint",
        help: "Base URL in version documents and Location headers; that of each request when unset."
    )
    static let parsesProxyHeaders = ConfigurationOption.boolean(
        "oslo_middleware",
        "enable_proxy_headers_parsing",
        default: false,
        help:
            "Believe Forwarded and X-Forwarded-Proto, -Host, -Port, -For and -Prefix: for links, and for the client's "
            + "address in the log. Only behind a proxy that sets or removes them. public_endpoint wins."
    )
    static let defaultPageSize = ConfigurationOption.integer(
        "DEFAULT",
        "limit_param_default",
        default: 25,
        in: 1...Int(Int32.max),
        help: "Page size of lists without a limit parameter."
    )
    static let maximumPageSize = ConfigurationOption.integer(
        "DEFAULT",
        "api_limit_max",
        default: 1000,
        in: 1...10_000,
        help: "Largest page of a list; a larger limit is cut to it."
    )
    static let requestIDLength = ConfigurationOption.integer(
        "DEFAULT",
        "max_request_id_length",
        default: 64,
        in: 0...8192,
        help: "Longest accepted X-Openstack-Request-ID; 0 for any."
    )
    static let propertyQuota = ConfigurationOption.integer(
        "DEFAULT",
        "image_property_quota",
        default: 128,
        help: "Custom properties per image; negative for any number."
    )
    static let tagQuota = ConfigurationOption.integer(
        "DEFAULT",
        "image_tag_quota",
        default: 128,
        help: "Tags per image; negative for any number."
    )
    static let memberQuota = ConfigurationOption.integer(
        "DEFAULT",
        "image_member_quota",
        default: 128,
        help: "Projects an image may be shared with; negative for any number."
    )
    static let imageSizeCap = ConfigurationOption.byteCount(
        "DEFAULT",
        "image_size_cap",
        default: 1_099_511_627_776,
        help: "Largest upload in bytes."
    )
    static let hashAlgorithm = ConfigurationOption<DigestAlgorithm>.choice(
        "DEFAULT",
        "hashing_algorithm",
        default: .sha512,
        help: "Algorithm of os_hash_value."
    )
    static let showsDirectURL = ConfigurationOption.boolean(
        "DEFAULT",
        "show_image_direct_url",
        default: false,
        help: "Show where the data is as direct_url."
    )
    static let containerFormats = ConfigurationOption.list(
        "image_format",
        "container_formats",
        default: ImageSchema.defaultContainerFormats,
        help: "Accepted values of container_format.",
        deprecated: [OptionName("DEFAULT", "container_formats")]
    )
    static let diskFormats = ConfigurationOption.list(
        "image_format",
        "disk_formats",
        default: ImageSchema.defaultDiskFormats,
        help: "Accepted values of disk_format.",
        deprecated: [OptionName("DEFAULT", "disk_formats")]
    )

    static let propertyCheck = ConfigurationOption<PropertyCheckMode>.choice(
        "metadefs",
        "check_properties",
        default: .off,
        help:
            "Hold the properties that a creation or a PATCH of an image brings along to the metadata definitions that "
            + "the caller may see: off, values (a value that breaks its definition is refused) or all (a property that "
            + "nobody defines is refused, too)."
    )

    // MARK: The registry

    static let endpoints = ConfigurationOption.list(
        "registry",
        "endpoints",
        default: ["http://127.0.0.1:9191"],
        help: "Where registries listen: http://host:port or unix:/path, separated by commas."
    )
    static let keyFile = ConfigurationOption.string(
        "registry",
        "key_file",
        default: "/etc/glance/registry.keys",
        help: "File of the secrets shared with glance-registry: lines 'key-id base64-secret', mode 0600. The first key "
            + "signs, all of them verify."
    )

    static let all: [OptionDescription] =
        listening.all + LogOptions.all + HealthOptions.all + CrossOriginOptions.all + [
            OptionDescription(strategy), OptionDescription(userFile), OptionDescription(allowsAnonymous),
            OptionDescription(noauthUser), OptionDescription(noauthProject), OptionDescription(noauthRoles),
            OptionDescription(noauthAnywhere), OptionDescription(publicEndpoint),
            OptionDescription(parsesProxyHeaders), OptionDescription(defaultPageSize),
            OptionDescription(maximumPageSize), OptionDescription(requestIDLength), OptionDescription(propertyQuota),
            OptionDescription(tagQuota), OptionDescription(memberQuota), OptionDescription(imageSizeCap),
            OptionDescription(hashAlgorithm), OptionDescription(showsDirectURL), OptionDescription(containerFormats),
            OptionDescription(diskFormats), OptionDescription(propertyCheck), OptionDescription(endpoints),
            OptionDescription(keyFile),
        ] + StoreOptions.all
}

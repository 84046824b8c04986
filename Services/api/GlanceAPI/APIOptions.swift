import Digests
import ImageAPI
import ImageModel
import NodeOptions
import Policy
import ServiceKit

/// The options of glance-api, in the order in which they are documented.
enum APIOptions {
    static let listening = ListeningOptions(defaultHost: "0.0.0.0", defaultPort: 9292)

    // MARK: The API

    static let publicEndpoint = ConfigurationOption.optionalString(
        "DEFAULT",
        "public_endpoint",
        help: "Base URL in version documents and Location headers; that of each request when unset."
    )
    static let selfReference = ConfigurationOption.optionalString(
        "DEFAULT",
        "worker_self_reference_url",
        help:
            "Base URL under which other nodes reach this one, recorded with what is staged here; public_endpoint when "
            + "unset."
    )
    static let importMethods = ConfigurationOption.list(
        "DEFAULT",
        "enabled_import_methods",
        default: ["glance-direct", "web-download", "copy-image"],
        mayBeBounded: true,
        help:
            "How images may be imported. Data can be staged while glance-direct is among them; imports themselves are "
            + "not there yet."
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
    static let storageQuota = ConfigurationOption.byteCount(
        "DEFAULT",
        "user_storage_quota",
        default: 0,
        help:
            "Bytes that the images of one project may have in all, each counted once per location; B, KB, MB, GB and TB are "
            + "powers of 1024. Exact, however many upload at once. 0 for any number; not used with use_keystone_limits."
    )
    static let delaysDeletion = ConfigurationOption.boolean(
        "DEFAULT",
        "delayed_delete",
        default: false,
        help:
            "A deleted image becomes pending_delete: nobody sees it, its data stays until glance-scrubber removes it, and "
            + "until then glance-scrubber --restore gives it back."
    )
    static let scrubTime = ConfigurationOption.integer(
        "DEFAULT",
        "scrub_time",
        default: 0,
        in: 0...Int(Int32.max),
        help:
            "With delayed_delete: seconds between the deletion of an image and the moment from which its data may be "
            + "removed. Holds for deletions to come."
    )
    static let verifiesDownloads = ConfigurationOption.boolean(
        "DEFAULT",
        "verify_downloads",
        default: false,
        help:
            "Hold every whole download against os_hash_value, or the checksum, while it is sent, and break it off before "
            + "its last bytes where the data is damaged. Costs the time of the digest, and sendfile."
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
    static let showsLocations = ConfigurationOption.boolean(
        "DEFAULT",
        "show_multiple_locations",
        default: false,
        help: "Show where the data is as locations, and let clients who may change them. Policy get_image_location, "
            + "set_image_location and delete_image_location say who."
    )
    static let locationQuota = ConfigurationOption.integer(
        "DEFAULT",
        "image_location_quota",
        default: 10,
        help: "Locations per image; negative for any number."
    )
    static let digestsLocations = ConfigurationOption.boolean(
        "DEFAULT",
        "do_secure_hash",
        default: true,
        help: "Read the data at an added location in the background, for its digests; what the client says of them is "
            + "compared. Otherwise it is believed."
    )
    static let digestTries = ConfigurationOption.integer(
        "DEFAULT",
        "http_retries",
        default: 3,
        in: 1...100,
        help: "How often reading data for its digests is tried."
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
    static let requiresFormatMatch = ConfigurationOption.boolean(
        "image_format",
        "require_image_format_match",
        default: true,
        help: "Refuse an upload whose data is not what disk_format says. Unsafe data is refused always."
    )
    static let toleratedChecks = ConfigurationOption.list(
        "image_format",
        "gpt_safety_checks_nonfatal",
        default: [],
        help: "Rules for partition tables that are only warned about: mbr, gptmbr."
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

    static let all: [OptionDescription] =
        listening.all + LogOptions.all + HealthOptions.all + CrossOriginOptions.all + IdentityOptions.all + [
            OptionDescription(publicEndpoint),
            OptionDescription(selfReference), OptionDescription(importMethods),
            OptionDescription(parsesProxyHeaders), OptionDescription(defaultPageSize),
            OptionDescription(maximumPageSize), OptionDescription(requestIDLength), OptionDescription(propertyQuota),
            OptionDescription(tagQuota), OptionDescription(memberQuota), OptionDescription(imageSizeCap),
            OptionDescription(storageQuota),
            OptionDescription(delaysDeletion), OptionDescription(scrubTime), OptionDescription(verifiesDownloads),
            OptionDescription(hashAlgorithm), OptionDescription(showsDirectURL), OptionDescription(showsLocations),
            OptionDescription(locationQuota), OptionDescription(digestsLocations), OptionDescription(digestTries),
            OptionDescription(containerFormats), OptionDescription(diskFormats),
            OptionDescription(requiresFormatMatch), OptionDescription(toleratedChecks),
            OptionDescription(propertyCheck),
        ] + RegistryHopOptions.all + LimitOptions.all + PolicyOptions.all + PropertyProtectionOptions.all
        + StoreOptions.all
}

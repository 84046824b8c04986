public import Digests
public import ImageFormats
public import ImageModel
public import Policy
public import StoreLayer

/// What an operator decides about the public API.
public struct ImageAPISettings: Sendable {
    /// Base of version links and `Location`; `nil` means that of each request (`public_endpoint`).
    public var publicEndpoint: String?
    public var schema: ImageSchema
    public var limits: ImageLimits
    public var catalogue: StoreCatalogue
    public var showsDirectURL = false
    /// What clients may do with locations; they see them where `areVisible` (`show_multiple_locations`).
    public var locationRules = LocationRules()
    /// Whether data at an added location is read to learn its digests (`do_secure_hash`).
    public var digestsLocations = true
    /// How often that is tried (`http_retries`).
    public var digestTries = 3
    /// Whether policy lets a caller see where an image's data is (`get_image_location`).
    var maySeeLocations: @Sendable (Image, Caller) -> Bool = { _, _ in true }
    /// Page size without a `limit`, and the largest.
    public var defaultPageSize = 25
    public var maximumPageSize = 1_000
    /// Longest accepted `X-Openstack-Request-ID`; 0 means any.
    public var maximumRequestIDLength = 64
    /// Whether scheme, host and client are taken from `Forwarded` and its forerunners (`enable_proxy_headers_parsing`).
    public var believesProxyHeaders = false
    /// Whether clients connect with TLS, which makes links begin with `https`.
    public var isServedOverTLS = false
    /// Whether nobody can connect but with a certificate that the server trusts (`ca_file`).
    public var requiresClientCertificates = false
    /// Who may see and change which custom properties.
    public var propertyProtections = PropertyProtections.none
    /// Which web pages may use the API.
    public var crossOrigin = CrossOrigin()
    /// Whether data may be staged (`glance-direct` is one of `enabled_import_methods`).
    public var allowsStaging = true
    /// The URL under which other nodes reach this one (`worker_self_reference_url`, else `public_endpoint`).
    public var nodeURL: String?
    /// How images can be imported; none of the methods is there yet.
    public var importMethods: [String] = []
    /// Largest upload in bytes (`image_size_cap`).
    public var imageSizeCap: Int64 = 1 << 40
    /// What data may be, held against `disk_format` (`[image_format]`).
    public var formatRules = FormatRules()
    /// Bytes that a project's images may have (`user_storage_quota`); `nil`: any number.
    public var storageQuota: Int64?
    /// Keystone's limits, which then stand instead of that quota (`use_keystone_limits`).
    public var unifiedLimits: UnifiedLimits?
    /// Whether whole downloads are held against the digest that was recorded (`verify_downloads`).
    public var verifiesDownloads = false
    /// Seconds that the data of deleted images stays, for a scrubber to remove; `nil` to delete at once (`delayed_delete`,
    /// `scrub_time`).
    public var scrubTime: Int64?
    /// Algorithm of the multihash (`hashing_algorithm`).
    public var hashAlgorithm = DigestAlgorithm.sha512
    /// Whether properties must fit the metadata definitions (`check_properties`).
    public var propertyCheck = PropertyCheckMode.off

    public init(schema: ImageSchema, limits: ImageLimits, catalogue: StoreCatalogue) {
        self.schema = schema
        self.limits = limits
        self.catalogue = catalogue
    }
}

public import Digests
public import ImageModel
public import StoreLayer

/// What an operator decides about the public API.
public struct ImageAPISettings: Sendable {
    /// Base of version links and `Location`; `nil` means that of each request (`public_endpoint`).
    public var publicEndpoint: String?
    public var schema: ImageSchema
    public var limits: ImageLimits
    public var catalogue: StoreCatalogue
    public var showsDirectURL = false
    /// Page size without a `limit`, and the largest.
    public var defaultPageSize = 25
    public var maximumPageSize = 1_000
    /// Longest accepted `X-Openstack-Request-ID`; 0 means any.
    public var maximumRequestIDLength = 64
    /// Whether scheme, host and client are taken from `Forwarded` and its forerunners (`enable_proxy_headers_parsing`).
    public var believesProxyHeaders = false
    /// Which web pages may use the API.
    public var crossOrigin = CrossOrigin()
    /// How images can be imported; none of the methods is there yet.
    public var importMethods: [String] = []
    /// Largest upload in bytes (`image_size_cap`).
    public var imageSizeCap: Int64 = 1 << 40
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

internal import DataUpkeep
internal import Digests
public import Identity
internal import ImageModel
public import Logging
public import Policy
public import RegistryContract
public import ServiceKit
public import ServiceLifecycle
public import StoreLayer

/// The public API put together: what answers requests, and what runs beside it.
public struct ImageService: Sendable {
    public let responder: ImageResponder
    /// Renews upload leases: to be stopped after the last running upload, and so listed before the server.
    public let leases: any Service
    public let housekeeping: any Service
    /// Reads data at locations that clients added; needs the leases.
    public let locationDigests: any Service

    /// - Parameters:
    ///   - digestThreads: Where digests are computed, shared by all uploads.
    ///   - holder: The name by which the registry knows this process.
    ///   - lives: Whether a process of this node lives, by its name in ``Holder``.
    public init(
        settings: ImageAPISettings,
        registry: any RegistryClient,
        identity: any IdentityProvider,
        policy: ImagePolicy,
        monitoring: Monitoring,
        digestThreads: WorkerThreads,
        holder: Holder,
        lives: @escaping @Sendable (String) -> Bool,
        logger: Logger
    ) {
        var settings = settings
        let catalogue = settings.catalogue
        let data = DataDeletion(registry: registry, catalogue: catalogue, logger: logger)
        let leases = UploadLeases(registry: registry, holder: holder, logger: logger)
        let digesting = DigestingUpload(multihash: settings.hashAlgorithm, threads: digestThreads)
        let attempts = UploadAttempts(registry: registry, leases: leases, data: data, logger: logger)
        let reading = ImageReading(
            registry: registry,
            policy: policy,
            protections: settings.propertyProtections
        )
        settings.maySeeLocations = { policy.allows(.getImageLocation, PolicyTarget(image: $0, caller: $1), $1) }
        let external = ExternalLocations(catalogue: catalogue)
        let quotas = UsageQuotas(
            registry: registry,
            storageQuota: settings.storageQuota,
            unified: settings.unifiedLimits
        )
        let check = PropertyCheck(
            registry: registry,
            policy: policy,
            mode: settings.propertyCheck,
            declared: settings.schema.declaredNames
        )
        let change = ImageChange(
            registry: registry,
            policy: policy,
            protections: settings.propertyProtections,
            limits: settings.limits,
            quotas: quotas,
            locationRules: settings.locationRules,
            external: external,
            data: data,
            holder: holder,
            check: check
        )
        let digests = LocationDigests(
            registry: registry,
            leases: leases,
            threads: digestThreads,
            tries: settings.digestTries,
            logger: logger
        )
        let inspection = ContentInspection(rules: settings.formatRules, logger: logger)
        let sessions = LiveUploads(registry: registry, logger: logger)
        let resumable = ResumableUploads(
            registry: registry,
            policy: policy,
            catalogue: catalogue,
            hashAlgorithm: settings.hashAlgorithm,
            digestThreads: digestThreads,
            budget: digesting.budget,
            sizeCap: settings.imageSizeCap,
            quotas: quotas,
            attempts: attempts,
            ending: UploadEnding(
                registry: registry,
                hashAlgorithm: settings.hashAlgorithm,
                inspection: inspection,
                attempts: attempts,
                live: sessions,
                logger: logger
            ),
            live: sessions,
            holder: holder
        )
        let metadefs = MetadefEditing(registry: registry, policy: policy)
        let routes: [[Route]] = [
            ImageRoutes(
                settings: settings,
                reading: reading,
                creation: ImageCreation(
                    registry: registry,
                    policy: policy,
                    protections: settings.propertyProtections,
                    limits: settings.limits,
                    quotas: quotas,
                    check: check
                ),
                change: change,
                deletion: ImageDeletion(
                    registry: registry,
                    policy: policy,
                    data: data,
                    scrubTime: settings.scrubTime,
                    holder: holder
                )
            ).routes,
            ImageDataRoutes(
                upload: ImageUpload(
                    registry: registry,
                    policy: policy,
                    catalogue: catalogue,
                    digesting: digesting,
                    hashAlgorithm: settings.hashAlgorithm,
                    sizeCap: settings.imageSizeCap,
                    inspection: inspection,
                    quotas: quotas,
                    attempts: attempts,
                    holder: holder
                ),
                staging: ImageStaging(
                    registry: registry,
                    policy: policy,
                    area: catalogue.staging,
                    isEnabled: settings.allowsStaging,
                    nodeURL: settings.nodeURL,
                    sizeCap: settings.imageSizeCap,
                    digesting: digesting,
                    quotas: quotas,
                    attempts: attempts,
                    holder: holder
                ),
                download: ImageDownload(
                    registry: registry,
                    policy: policy,
                    catalogue: catalogue,
                    verifies: settings.verifiesDownloads,
                    digestThreads: digestThreads
                )
            ).routes,
            UploadRoutes(uploads: resumable, sizeCap: settings.imageSizeCap).routes,
            ImageTagRoutes(change: change, settings: settings).routes,
            ImageActionRoutes(change: change, settings: settings).routes,
            ImageMemberRoutes(
                membership: ImageMembership(registry: registry, policy: policy, limits: settings.limits)
            ).routes,
            ImageTaskRoutes(reading: reading).routes,
            ImageLocationRoutes(
                settings: settings,
                locations: ImageLocations(
                    registry: registry,
                    policy: policy,
                    external: external,
                    digests: settings.digestsLocations ? digests : nil,
                    leases: leases,
                    hashAlgorithm: settings.hashAlgorithm,
                    holder: holder,
                    quotas: quotas
                )
            ).routes,
            MetadefNamespaceRoutes(settings: settings, editing: metadefs).routes,
            MetadefPropertyRoutes(editing: metadefs).routes,
            MetadefObjectRoutes(editing: metadefs).routes,
            MetadefTagRoutes(editing: metadefs).routes,
            ResourceTypeRoutes(editing: metadefs).routes,
            PropertyCheckRoutes(reading: reading, check: check, protections: settings.propertyProtections).routes,
            StoreRoutes(
                removal: StoreRemoval(
                    registry: registry,
                    policy: policy,
                    catalogue: catalogue,
                    data: data,
                    holder: holder
                )
            ).routes,
            InfoRoutes(settings: settings, policy: policy, quotas: quotas).routes,
            SchemaRoutes(schema: settings.schema).routes,
        ]
        responder = ImageResponder(
            settings: settings,
            identity: identity,
            policy: policy,
            monitoring: monitoring,
            versions: VersionDocument(hasSeveralStores: catalogue.isMultiStore),
            table: RouteTable(routes.flatMap { $0 }),
            policyThreads: PolicyThreads(),
            logger: logger
        )
        self.leases = leases
        locationDigests = digests
        housekeeping = StoreHousekeeping(
            registry: registry,
            catalogue: catalogue,
            data: data,
            sessions: sessions,
            holder: holder,
            earlier: EarlierProcesses(registry: registry, holder: holder, lives: lives),
            logger: logger
        )
    }
}

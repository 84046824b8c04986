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

    /// - Parameters:
    ///   - digestThreads: Where digests are computed, shared by all uploads.
    ///   - holder: The name by which the registry knows this process.
    ///   - isOnlyProcess: Whether no earlier process of this node lives any more, asked until it is so.
    public init(
        settings: ImageAPISettings,
        registry: any RegistryClient,
        identity: any IdentityProvider,
        policy: ImagePolicy,
        monitoring: Monitoring,
        digestThreads: WorkerThreads,
        holder: Holder,
        isOnlyProcess: @escaping @Sendable () -> Bool,
        logger: Logger
    ) {
        let catalogue = settings.catalogue
        let data = DataDeletion(registry: registry, catalogue: catalogue, logger: logger)
        let leases = UploadLeases(registry: registry, holder: holder, logger: logger)
        let check = PropertyCheck(
            registry: registry,
            policy: policy,
            mode: settings.propertyCheck,
            declared: settings.schema.declaredNames
        )
        let change = ImageChange(registry: registry, policy: policy, limits: settings.limits, check: check)
        let metadefs = MetadefEditing(registry: registry, policy: policy)
        let routes: [[Route]] = [
            ImageRoutes(
                settings: settings,
                reading: ImageReading(registry: registry, policy: policy),
                creation: ImageCreation(registry: registry, policy: policy, limits: settings.limits, check: check),
                change: change,
                deletion: ImageDeletion(registry: registry, policy: policy, data: data, holder: holder, logger: logger)
            ).routes,
            ImageDataRoutes(
                upload: ImageUpload(
                    registry: registry,
                    policy: policy,
                    catalogue: catalogue,
                    digesting: DigestingUpload(multihash: settings.hashAlgorithm, threads: digestThreads),
                    hashAlgorithm: settings.hashAlgorithm,
                    sizeCap: settings.imageSizeCap,
                    leases: leases,
                    data: data,
                    holder: holder,
                    logger: logger
                ),
                download: ImageDownload(registry: registry, policy: policy, catalogue: catalogue)
            ).routes,
            ImageTagRoutes(change: change, settings: settings).routes,
            ImageActionRoutes(change: change, settings: settings).routes,
            ImageMemberRoutes(
                membership: ImageMembership(registry: registry, policy: policy, limits: settings.limits)
            ).routes,
            MetadefNamespaceRoutes(settings: settings, editing: metadefs).routes,
            MetadefPropertyRoutes(editing: metadefs).routes,
            MetadefObjectRoutes(editing: metadefs).routes,
            MetadefTagRoutes(editing: metadefs).routes,
            ResourceTypeRoutes(editing: metadefs).routes,
            PropertyCheckRoutes(reading: ImageReading(registry: registry, policy: policy), check: check).routes,
            InfoRoutes(settings: settings, policy: policy).routes,
            SchemaRoutes(schema: settings.schema).routes,
        ]
        responder = ImageResponder(
            settings: settings,
            identity: identity,
            monitoring: monitoring,
            versions: VersionDocument(hasSeveralStores: catalogue.isMultiStore),
            table: RouteTable(routes.flatMap { $0 }),
            logger: logger
        )
        self.leases = leases
        housekeeping = StoreHousekeeping(
            registry: registry,
            catalogue: catalogue,
            data: data,
            holder: holder,
            isOnlyProcess: isOnlyProcess,
            logger: logger
        )
    }
}

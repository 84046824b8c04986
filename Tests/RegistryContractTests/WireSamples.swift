import ImageModel
import RegistryContract
import Testing
import WireJSON

/// A value of a type that crosses the wire, with nothing left at its default: whatever is lost on the way shows.
struct WireSample: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var json: [UInt8]
    /// All stored values, by reflection.
    var contents: String
    /// Reads the type from JSON; gives back its JSON and its contents.
    var reading: @Sendable (JSONValue) throws(JSONShapeError) -> (json: [UInt8], contents: String)

    init<Value: WireCodable>(_ value: Value) {
        testDescription = (Value.self as? any RegistryOperation.Type)?.name ?? "\(Value.self)"
        json = value.jsonBytes
        contents = String(reflecting: value)
        reading = { json throws(JSONShapeError) in
            let value = try Value(json: json)
            return (value.jsonBytes, String(reflecting: value))
        }
    }

    static let all = operations + responses + metadefParts

    static let operations: [WireSample] = [
        WireSample(ShowImage(id: id)),
        WireSample(ListImages(query: query)),
        WireSample(CreateImage(image: image, limits: limits)),
        WireSample(UpdateImage(image: image)),
        WireSample(DeleteImage(id: id, revision: 7, holder: holder, scrubAfter: 1 << 40)),
        WireSample(UndeleteImage(id: id)),
        WireSample(ClaimScrubs(DeletionClaim(holder: holder, stores: ["", "fast"], limit: 5), after: 1 << 40)),
        WireSample(
            ClaimVerification(
                holder: holder,
                store: "fast",
                before: Timestamp(microseconds: 1),
                image: id,
                after: 1 << 40
            )
        ),
        WireSample(RenewVerification(holder: holder, id: 7)),
        WireSample(RecordVerification(holder: holder, id: 7, result: .missing)),
        WireSample(ListDamage(after: 1 << 40, limit: 5)),
        WireSample(RestoreImage(id: id)),
        WireSample(ListImageTasks(image: id)),
        WireSample(RelocateImage(image: image, holder: holder, limits: limits)),
        WireSample(RecordDigests(image: id, url: "http://a", checksum: "c0", hashAlgorithm: "md5", hashValue: "f0")),
        WireSample(ListMembers(image: id)),
        WireSample(ShowMember(image: id, member: "p2")),
        WireSample(AddMember(Membership(image: id, revision: 7, member: "p2"), quota: -1)),
        WireSample(UpdateMember(Membership(image: id, revision: 7, member: "p2"), status: .rejected)),
        WireSample(RemoveMember(Membership(image: id, revision: 7, member: "p2"))),
        WireSample(ListMetadefs(query: namespaceQuery)),
        WireSample(ShowMetadefs(namespace: "n", part: .property("p", resourceType: "OS::Glance::Image"))),
        WireSample(CreateMetadefs(record: metadefs)),
        WireSample(UpdateMetadefs(current: "old", namespace: metadefs.namespace)),
        WireSample(DeleteMetadefs(namespace: "n", revision: 7)),
        WireSample(ChangeMetadefs(namespace: "n", revision: 7, change: .addTags(["a"], keepsOthers: true))),
        WireSample(FindDefinitions(resourceType: "OS::Glance::Image", names: ["a", "b"])),
        WireSample(ListResourceTypes()),
        WireSample(
            BeginStaging(
                image: id,
                attempt: "a1",
                holder: holder,
                store: "staging@n",
                url: "file:///a",
                size: 1 << 40,
                limits: limits
            )
        ),
        WireSample(FinishStaging(attempt: "a1", size: 1 << 40, identity: "dev:ino", host: "http://n")),
        WireSample(
            BeginUpload(
                image: id,
                attempt: "a1",
                holder: holder,
                store: "web",
                url: "http://a",
                externalMetadata: ["store": "web", "n": 1],
                size: 1 << 40,
                limits: limits
            )
        ),
        WireSample(ReserveUpload(attempt: "a1", needed: 5, wanted: 1 << 40)),
        WireSample(ShowUsage(project: "p1")),
        WireSample(RenewUploads(holder: holder, attempts: ["a1", "a2"])),
        WireSample(
            FinishUpload(
                attempt: "a1",
                size: 1 << 40,
                checksum: "c0",
                hashAlgorithm: "sha512",
                hashValue: "f0",
                identity: "dev:ino",
                virtualSize: 1 << 41,
                diskFormat: "qcow2",
                digests: ["md5": "c0"]
            )
        ),
        WireSample(AbortUpload(attempt: "a1", isDiscarded: true)),
        WireSample(ListProcesses(holder: holder)),
        WireSample(ReleaseUploads(holder: holder, ended: ["1a", "1b"])),
        WireSample(CheckAttempts(attempts: ["a1", "a2"])),
        WireSample(
            BeginSession(
                upload: BeginUpload(image: id, attempt: "a1", holder: holder, store: "fast", url: "file:///a"),
                terms: sessionTerms,
                byteCount: 1 << 40
            )
        ),
        WireSample(
            ExtendSession(
                image: id,
                holder: holder,
                byteCount: 7,
                limit: 1 << 40,
                limits: UsageLimits(storedMebibytes: 3),
                digests: ["md5": "00"]
            )
        ),
        WireSample(ShowSession(image: id, attempt: "a1")),
        WireSample(
            RecordSession(attempt: "a1", holder: holder, received: [0..<30], closing: 30, digests: ["md5": "00"])
        ),
        WireSample(ClaimDeletions(DeletionClaim(holder: holder, stores: ["", "fast"], limit: 5))),
        WireSample(FinishDeletions(ids: [1, .max])),
        WireSample(PostponeDeletions(ids: [1, 2])),
        WireSample(WithdrawDeletions(ids: [1, 2])),
    ]

    static let responses: [WireSample] = [
        WireSample(image),
        WireSample(Image(id: id)),
        WireSample(ImagePage(images: [image, Image(id: id)])),
        WireSample(ImageTasks(image: image, tasks: [task])),
        WireSample(member),
        WireSample(ImageMembers(image: image, members: [member])),
        WireSample(ImageWithMember(image: image, member: member)),
        WireSample(ImageWithMember(image: image, member: nil)),
        WireSample(RelocatedImage(image: image, deletions: [deletion, bareDeletion])),
        WireSample(metadefs),
        WireSample(MetadefRecord(namespace: MetadefNamespace(name: "n"))),
        WireSample(MetadefPage(namespaces: [metadefs])),
        WireSample(
            ResourceTypes(types: [
                ResourceType(
                    name: "OS::Glance::Image",
                    protected: true,
                    createdAt: Timestamp(microseconds: 1),
                    updatedAt: Timestamp(microseconds: 2)
                )
            ])
        ),
        WireSample(PendingDeletions(deletions: [deletion, bareDeletion])),
        WireSample(ScrubBatch(deletions: [deletion, bareDeletion], last: 1 << 40)),
        WireSample(ScrubBatch(deletions: [], last: nil)),
        WireSample(NextCopy(copy: copy, leaseSeconds: 60)),
        WireSample(NextCopy(copy: nil, leaseSeconds: 60)),
        WireSample(VerificationState(isCurrent: true)),
        WireSample(
            DamagePage(
                copies: [DamagedCopy(copy: copy, damage: .digest, foundAt: Timestamp(microseconds: 1))],
                total: 1 << 40
            )
        ),
        WireSample(UploadClaim(leaseSeconds: 60)),
        WireSample(UploadClaim(leaseSeconds: 0, toSettle: [deletion])),
        WireSample(UploadReservation(byteCount: 1 << 40)),
        WireSample(ProjectUsage(imageCount: 1, uploadingCount: 2, storedBytes: 1 << 40, stagedBytes: 4)),
        WireSample(sessionTerms),
        WireSample(SessionLease(leaseSeconds: 60, expiresAt: Timestamp(microseconds: 1))),
        WireSample(
            UploadSessionRecord(
                image: image,
                attempt: "a1",
                node: "n",
                store: "fast",
                url: "file:///a",
                terms: sessionTerms,
                parts: [0..<10, 10..<30],
                received: [0..<5],
                isFinished: true,
                lease: SessionLease(leaseSeconds: 60, expiresAt: Timestamp(microseconds: 1))
            )
        ),
        WireSample(HeldAttempts(held: ["a1"])),
        WireSample(AbortedUpload(isFinished: true)),
        WireSample(AttemptStates(finished: ["a1"], pending: ["a2"])),
        WireSample(Done()),
        WireSample(RegistryError(.duplicate, "The id is taken", field: "id")),
        WireSample(RegistryError(.notFound, "No image")),
        WireSample(holder),
        WireSample(caller),
        WireSample(Caller.anonymous),
    ]

    static let id = identifier("6F9619FF-8b86-d011-b42d-00cf4fc964ff")
    static let limits = UsageLimits(
        storageQuota: 1 << 40,
        imageCount: 2,
        storedMebibytes: 3,
        stagedMebibytes: 4,
        uploadingCount: 5
    )
    static let sessionTerms = UploadSessionTerms(isParallel: true, metadata: "filename eA==", digests: ["md5": "00"])
    static let holder = Holder(node: "host:9292", process: "p1")
    static let caller = Caller(
        user: "u1",
        project: "p1",
        roles: ["member"],
        serviceRoles: ["service"],
        isAdmin: true,
        isReadOnly: true
    )

    static let image = Image(
        id: id,
        name: "café \"x\"\n\u{1F600}",
        status: .deactivated,
        visibility: .community,
        protected: true,
        hidden: true,
        owner: "p1",
        containerFormat: "bare",
        diskFormat: "qcow2",
        minDisk: 1,
        minRAM: 2,
        size: 1 << 40,
        virtualSize: .max,
        checksum: "c0",
        hashAlgorithm: "sha512",
        hashValue: "f0",
        createdAt: Timestamp(microseconds: 1_700_000_000_123_456),
        updatedAt: Timestamp(microseconds: 1_700_000_000_654_321),
        tags: ["z", "a"],
        properties: ["declared": nil],
        locations: [
            ImageLocation(url: "file:///a", metadata: ["store": "fast", "n": 1, "deep": ["list": [true, .null]]])
        ],
        damaged: ["file:///a"],
        revision: 9
    )

    private static let task = ImageTask(
        id: "t1",
        kind: .locationImport,
        status: .failure,
        owner: "p1",
        image: id,
        requestID: "req-1",
        user: "u1",
        expiresAt: Timestamp(microseconds: 1_700_000_000_123_457),
        createdAt: Timestamp(microseconds: 1_700_000_000_123_456),
        updatedAt: Timestamp(microseconds: 1_700_000_000_654_321),
        input: ["import_req": ["method": ["name": "glance-direct"]]],
        result: ["image_id": "i"],
        message: "Expired lock preempted"
    )

    private static let member = ImageMember(
        image: id,
        member: "p2 é \u{1F600}",
        status: .accepted,
        createdAt: Timestamp(microseconds: 1_700_000_000_123_456),
        updatedAt: Timestamp(microseconds: 1_700_000_000_654_321)
    )

    private static let deletion = PendingDeletion(
        id: 3,
        image: id,
        store: "fast",
        url: "file:///a",
        attempt: "a1",
        identity: "dev:ino",
        isUnfinished: true
    )

    private static let copy = StoredCopy(
        id: 5,
        image: id,
        store: "fast",
        url: "file:///a",
        size: 1 << 40,
        checksum: "c0",
        hashAlgorithm: "sha512",
        hashValue: "f0"
    )

    private static let bareDeletion = PendingDeletion(
        id: 4,
        image: id,
        store: nil,
        url: "file:///b",
        attempt: "a2",
        identity: nil,
        isUnfinished: false
    )

    private static let query = ImageListQuery(
        limit: 25,
        marker: id,
        sort: [ImageSort(.name, .ascending), ImageSort(.id, .descending)],
        filters: [
            .text(.name, anyOf: ["a", "b"]), .integer(.minRAM, equals: 1), .bound(.size, .atMost, 2),
            .time(.createdAt, .greaterOrEqual, Timestamp(seconds: 5)), .protected(true), .tag("t"),
            .property(name: "os_distro", value: "debian"),
            .condition(ImageCondition(.property("os_version"), .order(.greaterOrEqual, "22.04"))), .nothing,
        ],
        visibility: .only(.public),
        memberStatus: .rejected,
        hidden: true
    )

    private static func identifier(_ text: String) -> ImageID {
        guard let id = ImageID(text) else { preconditionFailure("\(text) is a UUID") }
        return id
    }
}

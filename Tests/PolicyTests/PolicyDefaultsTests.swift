import ImageModel
import Policy
import Testing

/// The project that owns the images of these tests, one that they are shared with, and one that has no part in them.
let owner = "owner", guest = "guest", stranger = "stranger"

func caller(_ project: String?, _ roles: String...) -> Caller {
    Caller(user: "u", project: project, roles: Set(roles), isAdmin: roles.contains("admin"))
}

func someImage(_ visibility: Visibility, owner project: String? = owner) throws -> Image {
    let id = try #require(ImageID("6f0a2f4e-4f5d-4a0e-9d5b-2a4d3c1b0e9f"))
    return Image(id: id, visibility: visibility, owner: project, properties: ["colour": "red", "nothing": nil])
}

@Suite("Default policy")
struct PolicyDefaultsTests {
    let policy = ImagePolicy()

    /// What the owner's member, the owner's reader, a guest project's member and reader, a stranger's member, a service
    /// and an administrator may do, one letter each (`y` or `-`), with an image of the visibility.
    static let table: [(rules: [PolicyRule], visibility: Visibility, answers: String)] = [
        ([.getImage], .private, "yy----y"),
        ([.getImage], .shared, "yyyyy-y"),  // who is no member never gets this far: the image is not found
        ([.getImage], .public, "yyyyy-y"),
        ([.getImage], .community, "yyyyy-y"),
        ([.downloadImage, .downloadFromStore], .private, "y-----y"),
        ([.downloadImage, .downloadFromStore], .shared, "y-y-y-y"),
        ([.downloadImage, .downloadFromStore], .public, "y-y-y-y"),
        ([.downloadImage, .downloadFromStore], .community, "y-y-y-y"),
        ([.getMember, .getMembers], .shared, "yyyyy-y"),
        ([.getMember, .getMembers], .public, "yy----y"),
        ([.getMember, .getMembers], .private, "yy----y"),
        ([.modifyMember], .shared, "--y-y-y"),
        ([.modifyMember], .public, "------y"),
        ([.getImages, .getImageLocation], .public, "yy----y"),
    ]

    @Test("reading follows visibility and role", arguments: table)
    func reading(row: (rules: [PolicyRule], visibility: Visibility, answers: String)) throws {
        for rule in row.rules {
            #expect(try answers(rule, row.visibility) == row.answers, "\(rule.rawValue) on \(row.visibility)")
        }
    }

    @Test("only the owner's members change an image, whatever its visibility", arguments: Visibility.allCases)
    func changing(visibility: Visibility) throws {
        let rules: [PolicyRule] = [
            .deleteImage, .modifyImage, .communitizeImage, .uploadImage, .setImageLocation, .addMember, .deleteMember,
            .deactivate, .reactivate, .addImage,
        ]
        for rule in rules { #expect(try answers(rule, visibility) == "y-----y", "\(rule.rawValue)") }
        #expect(try answers(.addImageLocation, visibility) == "y----yy")
        #expect(try answers(.fetchImageLocation, visibility) == "-----yy")
    }

    @Test("publishing, copying, the cache and tasks are the administrator's")
    func administration() throws {
        let rules: [PolicyRule] = [
            .publicizeImage, .deleteImageLocation, .copyImage, .manageImageCache, .listCachedNodes, .cacheImage,
            .cacheList, .cacheDelete, .cacheClean, .cachePrune, .tasksAPIAccess,
        ]
        for rule in rules { #expect(try answers(rule, .public) == "------y", "\(rule.rawValue)") }
        #expect(try answers(.storesInfoDetail, .public) == "-----yy")
        for rule in [PolicyRule.getTask, .getTasks, .addTask, .modifyTask] {
            #expect(try answers(rule, .private) == "yyyyyyy", "\(rule.rawValue)")
        }
    }

    @Test("an administrator is allowed everything", arguments: PolicyRule.allCases)
    func administrator(rule: PolicyRule) {
        #expect(policy.allows(rule, .none, caller("any", "admin")))
    }

    @Test("a caller without roles, or anonymous, sees nothing", arguments: Visibility.allCases)
    func roleless(visibility: Visibility) throws {
        let image = try someImage(visibility)
        for somebody in [caller(owner), .anonymous, caller(owner, "manager")] {
            #expect(!policy.allows(.getImage, PolicyTarget(image: image, caller: somebody), somebody))
            #expect(!policy.allows(.getImages, .project(of: somebody), somebody))
        }
    }

    @Test("listing takes the reader role in a project")
    func listing() {
        #expect(policy.allows(.getImages, .project(of: caller(owner, "reader")), caller(owner, "reader")))
        #expect(!policy.allows(.getImages, .project(of: caller(owner, "member")), caller(owner, "member")))
    }

    @Test("a caller without a project does not own what nobody owns")
    func noProjectOwnsNothing() throws {
        let homeless = caller(nil, "member", "reader")
        let target = PolicyTarget(image: try someImage(.public, owner: nil), caller: homeless)
        #expect(policy.allows(.getImage, target, homeless))
        for rule in [PolicyRule.deleteImage, .modifyImage, .getMembers, .modifyMember] {
            #expect(!policy.allows(rule, target, homeless), "\(rule.rawValue)")
        }
    }

    @Test("the role admin makes an administrator")
    func adminRole() {
        #expect(policy.isAdmin(roles: ["reader", "admin"]))
        #expect(!policy.isAdmin(roles: ["manager", "member", "service"]))
    }

    private func answers(_ rule: PolicyRule, _ visibility: Visibility) throws -> String {
        let callers = [
            caller(owner, "member", "reader"), caller(owner, "reader"), caller(guest, "member", "reader"),
            caller(guest, "reader"), caller(stranger, "member", "reader"), caller("services", "service"),
            caller("admins", "admin"),
        ]
        let image = try someImage(visibility)
        return String(
            callers.map { caller -> Character in
                policy.allows(rule, PolicyTarget(image: image, caller: caller), caller) ? "y" : "-"
            }
        )
    }
}

import ImageModel
import Policy
import Testing

@Suite("Policy refusals")
struct ImagePolicyTests {
    let policy = ImagePolicy()
    let member = caller(stranger, "member", "reader")

    @Test("an image that the caller may not see is not found, whatever is asked of it")
    func hidden() throws {
        let image = try someImage(.private)
        let show = #expect(throws: ServiceError.self) { try policy.require(.getImage, on: image, by: member) }
        #expect(show?.code == .notFound)
        #expect(show?.message == "No image found with ID \(image.id)")
        for rule in [PolicyRule.modifyImage, .downloadImage, .deleteImage, .getMembers] {
            let error = #expect(throws: ServiceError.self) { try policy.require(rule, on: image, by: member) }
            #expect(error?.code == .notFound)
            #expect(error?.message == "The resource could not be found.")
        }
    }

    @Test("a refusal on an image that the caller sees is forbidden and names the rule")
    func forbidden() throws {
        let image = try someImage(.public)
        let change = #expect(throws: ServiceError.self) { try policy.require(.modifyImage, on: image, by: member) }
        #expect(change?.code == .forbidden)
        #expect(change?.message == "You are not authorized to complete modify_image action.")
        let reader = caller(stranger, "reader")
        let download = #expect(throws: ServiceError.self) { try policy.require(.downloadImage, on: image, by: reader) }
        #expect(download?.code == .forbidden)
    }

    @Test("what is allowed does not throw")
    func allowed() throws {
        try policy.require(.modifyImage, on: someImage(.private), by: caller(owner, "member"))
        try policy.require(.downloadImage, on: someImage(.shared), by: caller(guest, "member", "reader"))
        try policy.require(.modifyMember, on: someImage(.shared), by: caller(guest, "member"))
        try policy.require(.cacheList, .none, by: caller(nil, "admin"))
    }

    @Test("a member creates images for its own project only")
    func create() throws {
        let member = caller(owner, "member", "reader")
        try policy.requireCreate(owner: owner, visibility: .private, by: member)
        try policy.requireCreate(owner: owner, visibility: .community, by: member)
        try policy.requireCreate(owner: guest, visibility: .public, by: caller(owner, "admin"))

        let foreign = #expect(throws: ServiceError.self) {
            try policy.requireCreate(owner: guest, visibility: .shared, by: member)
        }
        #expect(foreign?.code == .forbidden)
        #expect(foreign?.message == "You are not permitted to create images owned by 'guest'")
        let reader = #expect(throws: ServiceError.self) {
            try policy.requireCreate(owner: owner, visibility: .shared, by: caller(owner, "reader"))
        }
        #expect(reader?.message == "You are not authorized to complete add_image action.")
        let published = #expect(throws: ServiceError.self) {
            try policy.requireCreate(owner: owner, visibility: .public, by: member)
        }
        #expect(published?.message == "You are not authorized to complete publicize_image action.")
    }

    @Test("the owner may make an image community, private or shared, but not public")
    func visibility() throws {
        let image = try someImage(.private), member = caller(owner, "member", "reader")
        for visibility in [Visibility.community, .private, .shared] {
            try policy.requireVisibility(visibility, on: image, by: member)
        }
        let error = #expect(throws: ServiceError.self) { try policy.requireVisibility(.public, on: image, by: member) }
        #expect(error?.code == .forbidden)
    }

    @Test("an anonymous caller changes nothing")
    func readOnly() throws {
        let error = #expect(throws: ServiceError.self) { try policy.requireWritable(.anonymous) }
        #expect(error?.code == .forbidden)
        #expect(error?.message == "Read-only access")
        try policy.requireWritable(member)
    }
}

@Suite("Policy target")
struct PolicyTargetTests {
    @Test("the caller's project is the member of a shared image that is somebody else's, and of no other")
    func memberID() throws {
        let reader = caller(guest, "reader")
        #expect(PolicyTarget(image: try someImage(.shared), caller: reader).memberID == guest)
        #expect(PolicyTarget(image: try someImage(.shared), caller: caller(owner, "reader")).memberID == nil)
        for visibility in [Visibility.private, .public, .community] {
            #expect(PolicyTarget(image: try someImage(visibility), caller: reader).memberID == nil)
        }
    }

    @Test("a key stands for the text that a rule compares")
    func keys() throws {
        let target = PolicyTarget(image: try someImage(.shared), caller: caller(owner, "reader"))
        #expect(target["project_id"] == owner)
        #expect(target["owner"] == owner)
        #expect(target["member_id"] == "None")
        #expect(target["visibility"] == "shared")
        #expect(target["protected"] == "False")
        #expect(target["size"] == "None")
        #expect(target["min_disk"] == "0")
        #expect(target["colour"] == "red")
        #expect(target["nothing"] == "None")
        #expect(target["locations"] == nil)
        #expect(target["unheard_of"] == nil)
        #expect(PolicyTarget.none["name"] == nil)
        #expect(PolicyTarget.none["project_id"] == nil)
        #expect(PolicyTarget(proposedOwner: nil, visibility: .private)["owner"] == "None")
    }
}

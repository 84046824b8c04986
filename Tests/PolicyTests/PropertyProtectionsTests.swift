import ImageModel
import ServiceKit
import Synchronization
import Testing

@testable import Policy

@Suite("Property protections")
struct PropertyProtectionsTests {
    static let example = """
        [^vendor_.*]
        create = admin,Packager
        read = @
        update = admin
        delete = !
        [.*]
        create = member,admin
        read = member,admin
        update = member,admin
        delete = member,admin
        """

    private func protections(
        _ text: String,
        _ format: PropertyProtectionFile.Format = .roles
    ) throws -> PropertyProtections {
        let file = try INIFile(bytes: Array(text.utf8), path: "p.conf")
        return PropertyProtections(
            sections: try PropertyProtectionFile(file, format: format).sections(),
            policy: ImagePolicy()
        )
    }

    /// `c`, `r`, `u`, `d` where the operation is allowed.
    private func grants(_ protections: PropertyProtections, _ name: String, _ caller: Caller) -> String {
        PropertyProtections.Operation.allCases.map { operation in
            protections.allow(operation, name, by: caller) ? String(operation.rawValue.prefix(1)) : "-"
        }.joined()
    }

    @Test("a name that Unicode takes for another one is decided on by itself, whichever came first")
    func lookalikes() throws {
        let text =
            "[^LICENSE_KEY]\ncreate = admin\nread = admin\nupdate = admin\ndelete = admin\n"
            + "[.*]\ncreate = member\nread = member\nupdate = member\ndelete = member\n"
        let member = caller(owner, "member")
        for names in [["LICENSE_KEY", "LICENSE_\u{212a}EY"], ["LICENSE_\u{212a}EY", "LICENSE_KEY"]] {
            let protections = try protections(text)
            for name in names + names {
                #expect(grants(protections, name, member) == (name.utf8.count == 11 ? "----" : "crud"))
            }
        }
    }

    @Test(
        "the first section whose expression is found decides",
        arguments: [
            ("vendor_x", "member", "-r--"), ("vendor_x", "packager", "cr--"), ("vendor_x", "admin", "cru-"),
            ("note", "member", "crud"), ("note", "reader", "----"), ("os_glance_x", "reader", "crud"),
            ("my_vendor_x", "packager", "----"),
        ]
    )
    func roles(row: (name: String, role: String, grants: String)) throws {
        #expect(grants(try protections(Self.example), row.name, caller(owner, row.role)) == row.grants)
        let turned = Self.example.replacing("^vendor_.*", with: "-").replacing("[.*]", with: "[^vendor_.*]")
        #expect(grants(try protections(turned), "vendor_x", caller(owner, "packager")) == "----")
    }

    @Test("roles of a service token count, whatever their case; no section means nobody")
    func serviceRoles() throws {
        var helped = caller(owner, "reader")
        helped.serviceRoles = ["PACKAGER"]
        #expect(grants(try protections(Self.example), "vendor_x", helped) == "cr--")
        #expect(
            grants(try protections("[^a$]\ncreate=@\nread=@\nupdate=@\ndelete=@\n"), "b", caller(owner, "admin"))
                == "----"
        )
        #expect(grants(.none, "anything", .anonymous) == "crud")
    }

    @Test("policy rules decide with nothing to ask about")
    func policies() throws {
        let text = "[x]\ncreate=context_is_admin\nread=default\nupdate=!\ndelete=service_api\n"
        let subject = try protections(text, .policies)
        #expect(grants(subject, "x", caller(owner, "admin")) == "cr-d")
        #expect(grants(subject, "x", caller(owner, "service")) == "-r-d")
        #expect(grants(subject, "x", caller(owner, "member")) == "-r--")
    }

    @Test(
        "a fault names file, line and section",
        arguments: [
            (
                "[a(]\ncreate=@\n",
                "p.conf:1: section [a(]: the expression is not accepted: ')' is missing at character 3 of the expression"
            ),
            ("[a]\ncreate=@\nread=@,!\n", "p.conf:3: section [a]: read has '@' for everybody and '!' for nobody"),
            ("\n[a]\ncreate=@\nread=@\nupdate=@\n", "p.conf:2: section [a]: delete is missing; write '!' for nobody"),
            ("[a]\nwrite=@\n", "p.conf:2: section [a]: 'write' is none of create, read, update, delete"),
            ("[a]\nread=@\nread=!\n", "p.conf:3: section [a]: read is there twice"),
        ]
    )
    func faults(row: (text: String, sentence: String)) throws {
        let error = #expect(throws: ConfigurationError.self) { try protections(row.text) }
        #expect(error?.message == row.sentence)
    }

    @Test("policies take one rule per operation")
    func oneRule() {
        let error = #expect(throws: ConfigurationError.self) { try protections("[a]\nread=b,c\n", .policies) }
        #expect(error?.message == "p.conf:2: section [a]: read names several policy rules; only one is accepted")
    }

    @Test("a policy that lacks a rule which protections name is no policy, at the start and later")
    func unknownRule() throws {
        let text = "[a]\ncreate=context_is_admin\nread=@\nupdate=typo_rule\ndelete=!\n"
        let file = PropertyProtectionFile(try INIFile(bytes: Array(text.utf8), path: "p.conf"), format: .policies)
        let sentence = "p.conf:4: section [a]: update names the policy rule 'typo_rule', which is not defined"
        let site = try PolicySite()
        let rules = try file.namedRules()
        let error = #expect(throws: ConfigurationError.self) { try site.policy { $0.namedRules = rules } }
        #expect(error?.message == sentence)

        try site.replace("typo_rule: 'role:packager'\n")
        let policy = try site.policy { $0.namedRules = rules }
        #expect(!site.log.withLock { $0.contains { $0.hasPrefix("warning") } })
        let protections = PropertyProtections(sections: try file.sections(), policy: policy)
        func mayUpdate(_ role: String) -> Bool {
            policy.followFiles()
            return protections.allow(.update, "a", by: caller(owner, role))
        }
        #expect(mayUpdate("packager") && !mayUpdate("member"))
        for text in ["{}\n", "get_images: '!'\n"] {
            try site.replace(text)
            // All of what was before stays in force.
            #expect(mayUpdate("packager") && !mayUpdate("member"))
            let reader = caller(owner, "reader")
            #expect(policy.allows(.getImages, .project(of: reader), reader))
            #expect(site.log.withLock { $0.last?.contains(sentence) } == true)
        }
        try site.replace("typo_rule: 'role:member'\n")
        #expect(!mayUpdate("packager") && mayUpdate("member"))
    }

    @Test("a policy rule that is not there allows nothing, whatever 'default' says")
    func missingRule() throws {
        let text = "[a]\ncreate=gone\nread=gone\nupdate=gone\ndelete=gone\n"
        for operation in PropertyProtections.Operation.allCases {
            #expect(!(try protections(text, .policies).allow(operation, "a", by: caller(owner, "admin"))))
        }
    }

    /// A change of one property: the operation, the caller's role, and its outcome.
    static let changes: [(operation: ImagePatchOperation, role: String, outcome: ServiceError.Code?)] = [
        (.setProperty(name: "vendor_x", value: "2", .replace), "packager", .forbidden),
        (.setProperty(name: "vendor_x", value: "2", .replace), "admin", nil),
        (.setProperty(name: "vendor_x", value: "2", .put), "packager", .forbidden),
        (.setProperty(name: "vendor_y", value: "2", .put), "packager", nil),
        (.setProperty(name: "vendor_y", value: "2", .put), "member", .forbidden),
        (.setProperty(name: "vendor_y", value: "2", .replace), "admin", .conflict),
        (.remove(name: "vendor_x"), "admin", .forbidden), (.remove(name: "vendor_y"), "admin", .conflict),
        // What cannot be read is not there.
        (.setProperty(name: "note", value: "2", .replace), "reader", .conflict),
        (.remove(name: "note"), "reader", .conflict),
        (.setProperty(name: "note", value: "2", .put), "reader", .forbidden),
        (.setProperty(name: "note", value: "2", .insert), "member", .conflict), (.remove(name: "note"), "member", nil),
        (.setField(.name("n"), .replace), "reader", nil),
    ]

    @Test("a change does what the caller may do with properties", arguments: changes)
    func changing(row: (operation: ImagePatchOperation, role: String, outcome: ServiceError.Code?)) throws {
        var image = try someImage(.private)
        image.properties = ["vendor_x": "1", "note": "1"]
        let subject = try protections(Self.example)
        var outcome = PatchOutcome(of: image)
        do {
            let by = caller(owner, row.role)
            try outcome.apply(try subject.admit(row.operation, on: image, by: by), by: by, limits: ImageLimits())
            #expect(row.outcome == nil, "\(row)")
        } catch {
            #expect(error.code == row.outcome, "\(row): \(error.message)")
            if error.code == .forbidden {
                #expect(
                    error.message.hasPrefix("Attribute 'vendor_") || error.message == "Attribute 'note' is reserved."
                )
            }
        }
    }

    @Test("what a caller may create but not read, it may overwrite without hearing that it was there")
    func unseen() throws {
        let subject = try protections("[x]\ncreate=@\nread=!\nupdate=!\ndelete=!\n")
        var image = try someImage(.private)
        image.properties = ["x": "1"]
        let by = caller(owner, "member")
        let operation = ImagePatchOperation.setProperty(name: "x", value: "2", .insert)
        var outcome = PatchOutcome(of: image)
        try outcome.apply(try subject.admit(operation, on: image, by: by), by: by, limits: ImageLimits())
        #expect(outcome.image.properties["x"] == "2")
    }
}

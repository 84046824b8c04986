import ImageModel
import Testing
import WireJSON

@Suite("Applying changes")
struct PatchOutcomeTests {
    private static let member = Caller(project: "p")
    private static let admin = Caller(project: "a", isAdmin: true)

    private func image(_ status: ImageStatus = .queued, properties: [String: String?] = ["x": "1"]) throws -> Image {
        let id = try #require(ImageID("5c1f6a0e-7d61-4c2f-9a35-0d2b6a7f9e11"))
        return Image(id: id, name: "n", status: status, owner: "p", tags: ["a"], properties: properties)
    }

    private func apply(
        _ operations: ImagePatchOperation...,
        to image: Image,
        by caller: Caller = member,
        limits: ImageLimits = ImageLimits()
    ) throws -> PatchOutcome {
        try apply(operations, to: image, by: caller, limits: limits)
    }

    private func apply(
        _ operations: [ImagePatchOperation],
        to image: Image,
        by caller: Caller,
        limits: ImageLimits = ImageLimits()
    ) throws -> PatchOutcome {
        var outcome = PatchOutcome(of: image)
        for operation in operations { try outcome.apply(operation, by: caller, limits: limits) }
        try outcome.requireRoom(within: limits)
        return outcome
    }

    @Test("no operation changes nothing")
    func nothing() throws {
        let image = try image()
        let outcome = try apply(to: image)
        #expect(outcome.image == image)
        #expect(!outcome.changesRecord && !outcome.addsProperties && outcome.visibilityChange == nil)
    }

    @Test("every field is set by replace, and by add in v2.1", arguments: [PatchAssignment.replace, .put])
    func fields(assignment: PatchAssignment) throws {
        let values: [ImageFieldValue] = [
            .name(nil), .visibility(.public), .protected(true), .hidden(true), .owner("other"),
            .containerFormat("bare"),
            .diskFormat("raw"), .minDisk(2), .minRAM(3), .tags(["c", "b", "c"]),
        ]
        #expect(Set(values.map(\.field)) == Set(ImageField.allCases))
        var expected = try image()
        expected.name = nil
        expected.visibility = .public
        expected.protected = true
        expected.hidden = true
        expected.owner = "other"
        expected.containerFormat = "bare"
        expected.diskFormat = "raw"
        expected.minDisk = 2
        expected.minRAM = 3
        expected.tags = ["c", "b"]
        let outcome = try apply(values.map { .setField($0, assignment) }, to: image(), by: Self.admin)
        #expect(outcome.image == expected)
        #expect(outcome.changesRecord)
    }

    @Test("a field is always there and cannot be removed", arguments: ImageField.allCases)
    func presence(field: ImageField) throws {
        let image = try image()
        expectRefusal(.forbidden, "Property \(field.rawValue) may not be removed.") {
            _ = try apply(.remove(name: field.rawValue), to: image, by: Self.admin)
        }
    }

    @Test("the old add refuses what is there")
    func insert() throws {
        let image = try image()
        expectRefusal(.conflict, "Property name already present.") {
            _ = try apply(.setField(.name("m"), .insert), to: image)
        }
        expectRefusal(.conflict, "Property x already present.") {
            _ = try apply(.setProperty(name: "x", value: "2", .insert), to: image)
        }
        let outcome = try apply(.setProperty(name: "y", value: "2", .insert), to: image)
        #expect(outcome.image.properties == ["x": "1", "y": "2"])
    }

    @Test("custom properties are put, replaced and removed in order")
    func properties() throws {
        let outcome = try apply(
            .setProperty(name: "x", value: "2", .put),
            .setProperty(name: "y", value: nil, .put),
            .setProperty(name: "y", value: "3", .replace),
            .remove(name: "x"),
            to: image()
        )
        #expect(outcome.image.properties == ["y": "3"])
        #expect(outcome.addsProperties)
        #expect(
            outcome.propertyActions == [
                PatchOutcome.PropertyAction(.update, "x"), PatchOutcome.PropertyAction(.create, "y"),
                PatchOutcome.PropertyAction(.update, "y"), PatchOutcome.PropertyAction(.delete, "x"),
            ]
        )
    }

    @Test("a property that is missing can be neither replaced nor removed, also after this change removed it")
    func missing() throws {
        let image = try image()
        expectRefusal(.conflict, "Property y does not exist.") {
            _ = try apply(.setProperty(name: "y", value: "2", .replace), to: image)
        }
        expectRefusal(.conflict, "Property x does not exist.") {
            _ = try apply(.remove(name: "x"), .remove(name: "x"), to: image)
        }
    }

    @Test("a name is not another one that Unicode takes for the same")
    func resemblance() throws {
        let image = try image(properties: ["LICENSE_KEY": "1", "\u{e9}": "1"])
        for name in ["LICENSE_\u{212a}EY", "e\u{301}"] {
            expectRefusal(.conflict, "Property \(name) does not exist.") {
                _ = try apply(.setProperty(name: name, value: "2", .replace), to: image)
            }
            expectRefusal(.conflict, "Property \(name) does not exist.") {
                _ = try apply(.remove(name: name), to: image)
            }
            for assignment in [PatchAssignment.put, .insert] {
                expectRefusal(
                    .invalidRequest,
                    "Two properties differ only in how the letters of '\(name)' are composed."
                ) { _ = try apply(.setProperty(name: name, value: "2", assignment), to: image) }
            }
        }
    }

    @Test("a declared property that is null is there all the same")
    func null() throws {
        let image = try image(properties: ["kernel_id": String?.none])
        #expect(try apply(.remove(name: "kernel_id"), to: image).image.properties.isEmpty)
        #expect(try apply(.setProperty(name: "kernel_id", value: "k", .replace), to: image).addsProperties == false)
    }

    @Test("only an administrator gives an image away", arguments: [PatchAssignment.replace, .put])
    func owner(assignment: PatchAssignment) throws {
        let image = try image()
        expectRefusal(.forbidden, "Owner can't be updated by non admin.") {
            _ = try apply(.setField(.owner("p"), assignment), to: image)
        }
        #expect(try apply(.setField(.owner(nil), assignment), to: image, by: Self.admin).image.owner == nil)
    }

    @Test("formats change while there are no data that they describe", arguments: ImageStatus.allCases)
    func formats(status: ImageStatus) throws {
        var image = try image(status)
        image.diskFormat = "raw"
        if status == .queued || status == .importing {
            #expect(try apply(.setField(.diskFormat(nil), .replace), to: image).image.diskFormat == nil)
            #expect(try apply(.setField(.containerFormat("bare"), .put), to: image).image.containerFormat == "bare")
        } else {
            expectRefusal(.forbidden, "Attribute 'disk_format' can be only replaced for a queued image.") {
                _ = try apply(.setField(.diskFormat("raw"), .replace), to: image)
            }
            expectRefusal(.forbidden, "Attribute 'container_format' can be only replaced for a queued image.") {
                _ = try apply(.setField(.containerFormat("bare"), .put), to: image)
            }
        }
    }

    @Test("minimums have their range")
    func minimums() throws {
        let image = try image()
        expectRefusal(.invalidRequest, "Cannot be a negative value") {
            _ = try apply(.setField(.minDisk(-1), .replace), to: image)
        }
        expectRefusal(.invalidRequest, "'min_ram' value out of range, must not exceed 2147483647.") {
            _ = try apply(.setField(.minRAM(2_147_483_648), .replace), to: image)
        }
    }

    @Test("tags are counted once each")
    func tagQuota() throws {
        let limits = ImageLimits(tagQuota: 2)
        let image = try image()
        #expect(
            try apply(.setField(.tags(["a", "b", "a"]), .replace), to: image, limits: limits).image.tags == ["a", "b"]
        )
        expectRefusal(.limitExceeded, "allowed image tags. Attempted: 3, Maximum: 2") {
            _ = try apply(.setField(.tags(["a", "b", "c"]), .replace), to: image, limits: limits)
        }
    }

    @Test("an image over its quota may change and lose properties, and gain none")
    func propertyQuota() throws {
        let limits = ImageLimits(propertyQuota: 1)
        let image = try image(properties: ["x": "1", "y": "2", "z": "3", "os_glance_import_task": "t"])
        #expect(throws: Never.self) {
            _ = try apply(.setProperty(name: "x", value: "9", .replace), .remove(name: "y"), to: image, limits: limits)
            _ = try apply(.setProperty(name: "x", value: "9", .put), to: image, limits: limits)
            // Added and removed again: nothing is added.
            _ = try apply(.setProperty(name: "w", value: "", .put), .remove(name: "w"), to: image, limits: limits)
        }
        expectRefusal(.limitExceeded, "allowed image properties. Attempted: 4, Maximum: 1") {
            _ = try apply(.setProperty(name: "w", value: "", .put), to: image, limits: limits)
        }
    }

    @Test("the service's own properties do not count")
    func internalProperties() throws {
        let image = try image(properties: ["os_glance_a": "", "os_glance_b": ""])
        let outcome = try apply(
            .setProperty(name: "x", value: "", .put),
            to: image,
            limits: ImageLimits(propertyQuota: 1)
        )
        #expect(outcome.image.properties.count == 3)
    }

    @Test("a visibility that ends where it began is no change")
    func visibility() throws {
        let there = try apply(.setField(.visibility(.public), .replace), to: image())
        #expect(there.visibilityChange?.from == .shared)
        #expect(there.visibilityChange?.to == .public)
        let back = try apply(
            .setField(.visibility(.public), .replace),
            .setField(.visibility(.shared), .replace),
            to: image()
        )
        #expect(back.visibilityChange == nil)
    }
}

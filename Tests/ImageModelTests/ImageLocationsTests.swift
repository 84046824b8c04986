import ImageModel
import Testing
import WireJSON

/// Image API v2, "Update image", locations.
@Suite("Changing locations")
struct ImageLocationsTests {
    private static let md5 = String(repeating: "ab", count: 16)
    private static let sha512 = String(repeating: "cd", count: 64)

    private func image(_ status: ImageStatus, _ locations: [ImageLocation] = []) throws -> Image {
        Image(
            id: try #require(ImageID("5c1f6a0e-7d61-4c2f-9a35-0d2b6a7f9e11")),
            status: status,
            containerFormat: "bare",
            diskFormat: "raw",
            size: locations.isEmpty ? nil : 9,
            locations: locations
        )
    }

    private func entry(
        _ url: String,
        _ metadata: JSONObject = [:],
        _ validation: LocationValidation? = nil
    ) -> LocationEntry {
        LocationEntry(location: ImageLocation(url: url, metadata: metadata), validation: validation)
    }

    private func validation(_ checksum: String? = nil, _ algorithm: String = "sha512", _ value: String = sha512)
        -> LocationValidation
    {
        LocationValidation(checksum: checksum, hashAlgorithm: algorithm, hashValue: value)
    }

    private let two = [ImageLocation(url: "http://a"), ImageLocation(url: "http://b", metadata: ["k": 1])]
    private let rules = LocationRules(areVisible: true)
    private let found = [
        "http://new": ExternalData(byteCount: 9), "http://more": ExternalData(byteCount: 9),
        "http://shorter": ExternalData(byteCount: 7),
    ]

    private func changed(
        _ image: Image,
        _ changes: LocationChange...,
        rules: LocationRules = LocationRules(areVisible: true)
    ) throws -> Image {
        var image = image
        for change in changes { try image.carryOut(change, rules, found: found) }
        return image
    }

    // MARK: Adding

    @Test("a location goes where it was put, and behind the others beyond their end")
    func positions() throws {
        let cases: [(LocationPosition, [String])] = [
            (.index(0), ["http://new", "http://a", "http://b"]), (.index(1), ["http://a", "http://new", "http://b"]),
            (.index(2), ["http://a", "http://b", "http://new"]),
            (.index(.max), ["http://a", "http://b", "http://new"]),
            (.end, ["http://a", "http://b", "http://new"]),
        ]
        for (position, urls) in cases {
            let image = try changed(try image(.active, two), .add(entry("http://new"), at: position))
            #expect(image.locations.map(\.url) == urls)
            #expect(image.status == .active && image.size == 9)
        }
        expectRefusal(.invalidRequest, "Invalid position for adding a location.") {
            _ = try changed(try image(.active, two), .add(entry("http://new"), at: .invalid))
        }
    }

    @Test("the first location makes an image active, as long as the data is")
    func first() throws {
        let image = try changed(try image(.queued), .add(entry("http://new"), at: .end))
        #expect(image.status == .active)
        #expect(image.size == 9)
        #expect(image.checksum == nil)
    }

    @Test("data is only kept once both formats are known")
    func formats() throws {
        var image = try image(.queued)
        image.diskFormat = nil
        let unfinished = image
        expectRefusal(.invalidRequest, "Property disk_format must be set prior to saving data.") {
            _ = try changed(unfinished, .add(entry("http://new"), at: .end))
        }
        image.containerFormat = nil
        let bare = image
        expectRefusal(.invalidRequest, "Properties disk_format, container_format must be set prior to saving data.") {
            _ = try changed(bare, .replace([entry("http://new")]))
        }
    }

    @Test("what is there already is not added again; the same URL with other metadata is something else")
    func repetition() throws {
        expectRefusal(.invalidRequest, "The location http://b already exists") {
            _ = try changed(try image(.active, two), .add(entry("http://b", ["k": 1]), at: .end))
        }
        let other = try changed(try image(.active, two), .add(entry("http://b", ["k": 2]), at: .end))
        #expect(other.locations.count == 3)
        let stored = [ImageLocation(url: "http://a", metadata: ["store": "web", "k": 1])]
        expectRefusal(.invalidRequest, "The location http://a already exists") {
            _ = try changed(try image(.active, stored), .add(entry("http://a", ["k": 1]), at: .end))
        }
        expectRefusal(.invalidRequest, "The location http://new already exists") {
            _ = try changed(try image(.queued), .replace([entry("http://new"), entry("http://new")]))
        }
    }

    @Test("the store of a location is the one that was asked, whatever the client says")
    func stores() throws {
        var image = try image(.queued)
        let found = ["http://new": ExternalData(byteCount: 9, store: "web")]
        try image.carryOut(.add(entry("http://new", ["store": "fast", "k": 1]), at: .end), rules, found: found)
        #expect(image.locations == [ImageLocation(url: "http://new", metadata: ["store": "web", "k": 1])])
        try image.carryOut(.replace([entry("http://new", ["store": "fast", "k": 2])]), rules, found: [:])
        #expect(image.locations == [ImageLocation(url: "http://new", metadata: ["store": "web", "k": 2])])
        let single = try changed(try self.image(.queued), .add(entry("http://new", ["store": "file"]), at: .end))
        #expect(single.locations == [ImageLocation(url: "http://new")])
    }

    @Test("there are no more locations than the quota, and negative quotas are none")
    func quota() throws {
        let tight = LocationRules(areVisible: true, quota: 2)
        expectRefusal(
            .limitExceeded,
            "The limit has been exceeded on the number of allowed image locations. Attempted: 3, Maximum: 2"
        ) { _ = try changed(try image(.active, two), .add(entry("http://new"), at: .end), rules: tight) }
        expectRefusal(.limitExceeded, "Attempted: 3, Maximum: 2") {
            let entries = ["http://new", "http://more", "http://third"].map { entry($0) }
            _ = try changed(try image(.queued), .replace(entries), rules: tight)
        }
        let free = LocationRules(areVisible: true, quota: -1)
        #expect(
            try changed(try image(.active, two), .add(entry("http://new"), at: .end), rules: free).locations.count == 3
        )
    }

    @Test("all locations of an image have as many bytes as the image")
    func lengths() throws {
        let sentence = "Invalid location: there are 7 bytes, but the image has 9."
        expectRefusal(.invalidRequest, sentence) {
            _ = try changed(try image(.active, two), .add(entry("http://shorter"), at: .end))
        }
        expectRefusal(.invalidRequest, sentence) {
            _ = try changed(try image(.queued), .replace([entry("http://new"), entry("http://shorter")]))
        }
        // A size that the client gave to a queued image is nothing that is known.
        var queued = try image(.queued)
        queued.size = 5
        #expect(try changed(queued, .add(entry("http://shorter"), at: .end)).size == 7)
    }

    // MARK: Replacing

    @Test("replacing sets the locations of an image without any, and otherwise metadata alone")
    func replacing() throws {
        let first = try changed(try image(.queued), .replace([entry("http://new"), entry("http://more")]))
        #expect(first.locations.map(\.url) == ["http://new", "http://more"])
        #expect(first.status == .active && first.size == 9)
        let again = try changed(try image(.active, two), .replace([entry("http://b"), entry("http://a", ["m": "x"])]))
        #expect(
            again.locations == [ImageLocation(url: "http://b"), ImageLocation(url: "http://a", metadata: ["m": "x"])]
        )
        #expect(again.size == 9)
        for entries in [["http://a"], ["http://a", "http://c"], ["http://a", "http://b", "http://c"]] {
            expectRefusal(.invalidRequest, "Original locations is not empty") {
                _ = try changed(try image(.active, two), .replace(entries.map { entry($0) }))
            }
        }
        // A URL that is there once is not to be there twice afterwards, nor the other way round.
        let once = try image(.active, two)
        expectRefusal(.invalidRequest, "Original locations is not empty") {
            _ = try changed(once, .replace([entry("http://a"), entry("http://a", ["x": 1]), entry("http://b")]))
        }
        let twice = try image(.active, two + [ImageLocation(url: "http://a", metadata: ["x": 1])])
        expectRefusal(.invalidRequest, "Original locations is not empty") {
            _ = try changed(twice, .replace([entry("http://a"), entry("http://b")]))
        }
        let marked = [entry("http://a", ["x": 2]), entry("http://b"), entry("http://a")]
        #expect(try changed(twice, .replace(marked)).locations == marked.map(\.location))
        expectRefusal(.forbidden, "Cannot set locations to empty list.") {
            _ = try changed(try image(.active, two), .replace([]))
        }
    }

    // MARK: Removing

    @Test("any but the last location is removed")
    func removing() throws {
        #expect(try changed(try image(.active, two), .remove(at: .index(0))).locations.map(\.url) == ["http://b"])
        #expect(try changed(try image(.active, two), .remove(at: .end)).locations.map(\.url) == ["http://a"])
        for position in [LocationPosition.index(2), .index(.max), .invalid] {
            expectRefusal(.invalidRequest, "Invalid position for removing a location.") {
                _ = try changed(try image(.active, two), .remove(at: position))
            }
        }
        expectRefusal(.forbidden, "Cannot remove last location in the image.") {
            _ = try changed(try image(.active, two), .remove(at: .end), .remove(at: .end))
        }
    }

    @Test("only in some states locations change", arguments: ImageStatus.allCases)
    func states(_ status: ImageStatus) throws {
        let image = try image(status, two)
        if ![.active, .queued].contains(status) {
            expectRefusal(.conflict, "It's not allowed to add locations if image status is \(status.rawValue).") {
                _ = try changed(image, .add(entry("http://new", [:], validation("x")), at: .invalid))
            }
            expectRefusal(.conflict, "It's not allowed to replace locations if image status is \(status.rawValue).") {
                _ = try changed(image, .replace([entry("http://c")]))
            }
        }
        if status != .active {
            expectRefusal(.conflict, "It's not allowed to remove locations if image status is \(status.rawValue).") {
                _ = try changed(image, .remove(at: .invalid))
            }
        }
    }

    // MARK: Digests

    @Test("digests that are given with the first location are kept as they are")
    func digests() throws {
        let image = try changed(
            try image(.queued),
            .add(entry("http://new", [:], validation(Self.md5)), at: .end)
        )
        #expect(image.checksum == Self.md5)
        #expect(image.hashAlgorithm == "sha512" && image.hashValue == Self.sha512)
        // They may be said again, and only as they are.
        let again = LocationChange.add(entry("http://more", [:], validation(Self.md5)), at: .end)
        #expect(try changed(image, again).locations.count == 2)
        expectRefusal(.conflict, "'checksum' is already set with a different value") {
            let other = validation(String(repeating: "00", count: 16))
            _ = try changed(image, .add(entry("http://more", [:], other), at: .end))
        }
    }

    @Test("digests that cannot be are refused")
    func wrongDigests() throws {
        let short = String(Self.md5.dropLast(2))
        let cases: [(LocationValidation, String)] = [
            (validation("zz" + short), "checksum (zz\(short)) is not a valid hexadecimal value"),
            (validation(short), "checksum is not the correct size for (md5) (should be (16) bytes)"),
            (validation(nil, "sha256"), "os_hash_algo must be sha512, not sha256"),
            (validation(nil, "sha512", "abc"), "is not a valid hexadecimal value"),
            (validation(nil, "sha512", ""), "is not a valid hexadecimal value"),
            (validation(nil, "sha512", Self.md5), "is not the correct size for (sha512) (should be (64) bytes)"),
        ]
        for (validation, sentence) in cases {
            expectRefusal(.conflict, sentence) {
                _ = try changed(try image(.queued), .add(entry("http://new", [:], validation), at: .end))
            }
        }
        expectRefusal(.conflict, "may only be provided when image status is 'queued'") {
            _ = try changed(try image(.active, two), .add(entry("http://new", [:], validation()), at: .end))
        }
        expectRefusal(.conflict, "Conflicting values for os_hash_value") {
            let other = validation(nil, "sha512", String(repeating: "00", count: 64))
            let entries = [entry("http://new", [:], validation()), entry("http://more", [:], other)]
            _ = try changed(try image(.queued), .replace(entries))
        }
    }
}

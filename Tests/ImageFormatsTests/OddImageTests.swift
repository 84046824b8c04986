import ImageFormats
import Testing

/// Images that no tool makes: less than a format's readers need, or something that only some of them see. They are judged
/// for what the most generous reader makes of them; `Tests/System/test_odd_images.py` asks QEMU what that is.
@Suite("Inspection of odd images")
struct OddImageTests {
    struct OddImage: Sendable, CustomTestStringConvertible {
        var name: String
        var image: SampleImage

        var testDescription: String { name }

        init(_ name: String, _ image: SampleImage) { (self.name, self.image) = (name, image) }
        init(_ name: String, text: String) { self.init(name, SampleImage(0).followed(by: Array(text.utf8))) }
    }

    private static let claims = [
        "raw", "qcow2", "qed", "vhd", "vhdx", "vmdk", "vdi", "iso", "gpt", "luks", "ploop", "ami", "ari", "aki",
    ]
    private static let everyRule = [
        FormatRules(), FormatRules(requiresMatch: false, toleratedChecks: ["mbr", "gptmbr"]),
    ]
    private static let rest = """
        CID=fffffffe
        parentCID=ffffffff
        createType="monolithicFlat"
        RW 20 FLAT "/etc/passwd" 0
        """

    static let unsafe: [OddImage] = shortHeaders + descriptors + vmdks + differencing

    private static let shortHeaders = [
        OddImage("qcow2 2 with a name right behind its header", .qcow2(version: 2, backing: 72).cut(88)),
        OddImage("qcow2 3 with a name right behind its header", .qcow2(backing: 112).cut(123)),
        OddImage("qcow2 of all but one byte", .qcow2(backing: 104).cut(511)),
        OddImage("qcow2 that ends in its header", .qcow2(version: 2, backing: 60).cut(60)),
        OddImage("qcow2 with a data file", .qcow2(features: 4).cut(104)),
        OddImage("qcow2 with an unknown feature", .qcow2(features: 1 << 62).cut(104)),
        OddImage("qcow 1", .qcow2(version: 1).cut(64)),
        OddImage("qcow2 4", .qcow2(version: 4).cut(64)),
        OddImage("qed", text: "QED\0"),
        OddImage("vmdk without a header", text: "KDMV"),
        OddImage("old extent without a header", text: "COWD"),
        OddImage("vdi", .vdi(type: 4).cut(0x50)),
        OddImage("vhd", SampleImage(0).followed(by: SampleImage.vhdFooter(type: 4, size: 9)).cut(64)),
    ]

    private static let descriptors = [
        "# Disk DescriptorFile\n", "\n# Disk DescriptorFile\n", "\u{FEFF}# Disk DescriptorFile\n",
        "# disk descriptorfile\n", "#Disk DescriptorFile\r\n", "# Disk Descriptor File\n", "version=1\n",
        "version=2\r\n",
        "# a comment\nversion=3\n", "#\n  \n \r\n# another\r\nversion=1\n", "# with a \0\nversion=1\n",
        "#\(String(repeating: "-", count: 500))\nversion=1\n",
    ].map { OddImage("descriptor that begins with \($0.debugDescription)", text: $0 + rest) }

    private static let parentName = "parentFileNameHint=\"/etc/passwd\"\n"

    private static let vmdks = [
        OddImage("vmdk whose text goes on behind its sectors", textBeyond(byteCount: 512, parentName)),
        OddImage("vmdk with a text where QEMU looks", SampleImage.vmdk(at: 40).text("CID=1\n\(parentName)", at: 512)),
        OddImage(
            "vmdk with an accent on a parent's name",
            .vmdk(SampleImage.descriptor + "\n# parentFileNameHint\u{301}/etc/passwd\"\n")
        ),
        OddImage(
            "vmdk with an accent on a path",
            .vmdk(SampleImage.descriptor.replacing("disk.vmdk", with: "/\u{301}passwd"))
        ),
        OddImage(
            "vmdk with a path of Windows",
            .vmdk(SampleImage.descriptor.replacing("disk.vmdk", with: #"\\.\PhysicalDrive0"#))
        ),
        OddImage("vmdk stream whose end is no sector's", .streamVMDK { $0 }.shifted(by: 7)),
    ]

    private static let differencing = [
        OddImage(
            "vhd with a footer that the copy does not tell of",
            SampleImage(0).followed(by: SampleImage.vhdFooter(type: 3, size: 9)).followed(
                by: Array(repeating: 0, count: 512)
            )
            .followed(by: SampleImage.vhdFooter(type: 4, size: 9))
        ),
        OddImage("vhd without the copy", SampleImage(4096).followed(by: SampleImage.vhdFooter(type: 4, size: 4096))),
        OddImage("vhdx that ends in its metadata", SampleImage.vhdx(parent: true).cut((2 << 20) + 65552)),
        OddImage("vhdx with metadata in two places", twoTables),
        OddImage(
            "vhdx with two of an item",
            SampleImage.vhdx().little(UInt16(3), at: (2 << 20) + 10).put(
                Array(SampleImage.vhdx().bytes[(2 << 20) + 32..<(2 << 20) + 64]),
                at: (2 << 20) + 96
            )
        ),
        OddImage(
            "vhdx with another of an item far behind",
            SampleImage.vhdx().little(UInt16(3), at: (2 << 20) + 10).put(
                Array(SampleImage.vhdx().bytes[(2 << 20) + 32..<(2 << 20) + 64]),
                at: (2 << 20) + 96
            ).little(UInt32(900_000), at: (2 << 20) + 112)
        ),
        OddImage(
            "vhdx with an item far behind",
            SampleImage.vhdx().little(UInt32(2 << 20), at: 192 * 1024 + 40).little(UInt32(3 << 19), at: (2 << 20) + 48)
        ),
    ]

    /// A VMDK whose descriptor fills what it is said to fill, without a NUL, and goes on.
    private static func textBeyond(byteCount: Int, _ more: String) -> SampleImage {
        let text = SampleImage.descriptor + "\n#"
        let filled = text + String(repeating: "-", count: byteCount - text.utf8.count - 1) + "\n"
        return .vmdk(filled + more).little(UInt64(byteCount / 512), at: 36)
    }

    /// The second copy of the region table says that the metadata is elsewhere.
    private static var twoTables: SampleImage {
        let image = SampleImage.vhdx()
        let table = Array(image.bytes[192 * 1024..<192 * 1024 + 64])
        return image.put(table, at: 256 * 1024).little(UInt64(3 << 20), at: 256 * 1024 + 32)
    }

    @Test("what some reader follows out of its file is refused whatever it is said to be", arguments: unsafe)
    func refused(_ odd: OddImage) {
        let inspection = inspect(odd.image.bytes)
        for claim in Self.claims {
            for rules in Self.everyRule {
                let refusal = #expect(throws: FormatRefusal.self, "as \(claim)") {
                    try inspection.judge(claimed: claim, by: rules)
                }
                #expect(refusal?.code == .unsafe, "as \(claim): \(refusal?.message ?? "accepted")")
            }
        }
    }

    /// What QEMU opens as a VMDK if it is told to, and as raw data otherwise.
    private static let claimedDescriptors = [
        "version=4\n", "version = 1\n", " # a comment\nversion=1\n", "\n\nversion=1\n", "VERSION=1\n", "",
        "#\(String(repeating: "-", count: 501))\nversion=1\n", String(repeating: "-", count: 600_000) + "\n",
        // The type's name lies across pieces of 4096 bytes.
        String(repeating: "-", count: 4096 - rest.utf8.count + 40),
    ].map { OddImage("\($0.prefix(24).debugDescription)", text: $0 + rest) }

    @Test("a text that says of which type a VMDK it is must not be said to be one", arguments: claimedDescriptors)
    func refusedAsVMDK(_ odd: OddImage) throws {
        let inspection = inspect(odd.image.bytes, chunk: 4096)
        for rules in Self.everyRule {
            let refusal = #expect(throws: FormatRefusal.self) { try inspection.judge(claimed: "vmdk", by: rules) }
            #expect(refusal?.code == .unsafe)
        }
        #expect(try inspection.judge(claimed: "raw", by: FormatRules()).virtualSize == Int64(odd.image.bytes.count))
    }

    private static let harmless: [OddImage] =
        [
            "#", "#!/bin/sh\nset -e\nversion=1\n", "#cloud-config\n{}\n", "# settings\nversion: 1\n",
            "# settings\nversion=10\n",
            "# settings\n\nversion=1\n", "version=1", "vhdxfile", "conectix", "QED", "QFI", "WithoutFreeSpace",
        ].map { OddImage($0.debugDescription, text: $0) } + [
            OddImage("qcow2's name", SampleImage.qcow2(version: 0).cut(4)),
            OddImage("qcow2's name and nothing", SampleImage.qcow2(version: 0).cut(40)),
            OddImage("qcow2 cut, safe", SampleImage.qcow2(version: 2).cut(100)),
            OddImage("vhd cut, safe", SampleImage(0).followed(by: SampleImage.vhdFooter(type: 3, size: 9)).cut(100)),
            OddImage("vdi cut, safe", SampleImage.vdi().cut(400)),
            OddImage("vhdx cut, safe", SampleImage.vhdx().cut((3 << 20) - 1)),
            OddImage("luks cut", SampleImage.luks(version: 2).cut(8)),
            OddImage("a type's name behind a NUL", text: "\0" + rest),
        ]

    @Test("what is merely short, or merely resembles, is raw data", arguments: harmless)
    func accepted(_ odd: OddImage) throws {
        let inspection = inspect(odd.image.bytes)
        #expect(try inspection.judge(claimed: "raw", by: FormatRules()).virtualSize == Int64(odd.image.bytes.count))
        for claim in Self.claims {
            #expect(throws: Never.self, "\(claim)") { try inspection.judge(claimed: claim, by: Self.everyRule[1]) }
        }
        #expect(throws: FormatRefusal.self) { try inspection.judge(claimed: "qcow2", by: FormatRules()) }
    }

    @Test("the partition table of a fixed VHD is looked at as a raw disk's is")
    func partitionsOfFixedVHD() throws {
        let disk = SampleImage.partitions([SampleImage.linuxPartition]).put([0x33], at: 446)
        let inspection = inspect(SampleImage.fixedVHD(disk).bytes)
        for claim in ["vhd", "raw"] {
            let refusal = #expect(throws: FormatRefusal.self) {
                try inspection.judge(claimed: claim, by: FormatRules(requiresMatch: false))
            }
            #expect(refusal?.code == .unsafe)
        }
        let verdict = try inspection.judge(claimed: "vhd", by: FormatRules(toleratedChecks: ["mbr"]))
        #expect(verdict.virtualSize == 4096)
        #expect(verdict.warnings.count == 1)
    }
}

extension SampleImage {
    fileprivate func followed(by more: [UInt8]) -> SampleImage {
        var copy = self
        copy.bytes += more
        return copy
    }

    fileprivate func cut(_ count: Int) -> SampleImage {
        var copy = self
        copy.bytes.removeLast(max(0, bytes.count - count))
        return copy
    }

    /// The last three sectors move, so that the file does not end with a sector.
    fileprivate func shifted(by count: Int) -> SampleImage {
        var copy = self
        copy.bytes.insert(contentsOf: repeatElement(0, count: count), at: bytes.count - 1536)
        return copy
    }
}

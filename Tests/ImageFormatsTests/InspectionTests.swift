import ImageFormats
import Testing

func inspect(_ bytes: [UInt8], chunk: Int = 65536) -> Inspection {
    var inspector = ImageInspector()
    bytes.withUnsafeBytes { bytes in
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            inspector.update(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + chunk, bytes.count)]))
        }
    }
    return inspector.finish()
}

/// What is answered to an image and a claim: the size, or the words of the refusal.
struct Judgement: Sendable, CustomTestStringConvertible {
    enum Outcome: Sendable, Equatable {
        case accepted(Int64?)
        case refused(String)
    }

    var name: String
    var image: SampleImage
    var claim: String
    var outcome: Outcome

    var testDescription: String { "\(name) as \(claim)" }

    init(_ name: String, _ image: SampleImage, as claim: String, _ outcome: Outcome) {
        (self.name, self.image, self.claim, self.outcome) = (name, image, claim, outcome)
    }
}

extension SampleImage: @unchecked Sendable {}

@Suite("Inspection of disk images")
struct InspectionTests {
    private static let size = Int64(SampleImage.mebibyte)
    private static let unsafe = Judgement.Outcome.refused("Image failed safety checks")

    private static func isNot(_ claim: String, _ found: String) -> Judgement.Outcome {
        .refused("Image disk_format \(claim) does not match stream data \(found)")
    }

    static let judgements: [Judgement] =
        accepted + mismatches + qcow2Rules + vmdkRules + partitionRules + parents

    private static let accepted = [
        Judgement("zeroes", SampleImage(5000), as: "raw", .accepted(5000)),
        Judgement("nothing", SampleImage(0), as: "raw", .accepted(0)),
        Judgement("qcow2 2", .qcow2(version: 2), as: "qcow2", .accepted(size)),
        Judgement("qcow2 3", .qcow2(), as: "qcow2", .accepted(size)),
        Judgement(
            "dynamic vhd",
            SampleImage(1024).put(SampleImage.vhdFooter(type: 3, size: 9), at: 0),
            as: "vhd",
            .accepted(9)
        ),
        Judgement("fixed vhd", .fixedVHD(SampleImage(4096)), as: "vhd", .accepted(4096)),
        Judgement(
            "fixed vhd with partitions",
            .fixedVHD(.partitions([SampleImage.linuxPartition])),
            as: "vhd",
            .accepted(4096)
        ),
        Judgement("fixed vhd", .fixedVHD(SampleImage(4096)), as: "raw", .accepted(4608)),
        Judgement("vhdx", .vhdx(), as: "vhdx", .accepted(size)),
        Judgement("vhdx, metadata early", .vhdx(metadataAt: 1 << 20), as: "vhdx", .accepted(size)),
        Judgement("vhdx, second table", .vhdx(tableAt: 256 * 1024), as: "vhdx", .accepted(size)),
        Judgement("vmdk", .vmdk(), as: "vmdk", .accepted(size)),
        Judgement("vmdk, descriptor far behind", .vmdk(at: 4000), as: "vmdk", .accepted(size)),
        Judgement("vmdk stream", .streamVMDK(), as: "vmdk", .accepted(size)),
        Judgement("vdi", .vdi(), as: "vdi", .accepted(size)),
        Judgement("fixed vdi", .vdi(type: 2), as: "vdi", .accepted(size)),
        Judgement("iso", .iso(), as: "iso", .accepted(200 * 2048)),
        Judgement("hybrid iso", .iso().put([0x55, 0xAA], at: 510), as: "iso", .accepted(200 * 2048)),
        Judgement("luks", .luks(), as: "luks", .accepted(3072)),
        Judgement("ploop", .ploop("WithouFreSpacExt", sectors: 1 << 33), as: "ploop", .accepted(1 << 42)),
        Judgement("old ploop", .ploop("WithoutFreeSpace", sectors: 1 << 33 | 2), as: "ploop", .accepted(1024)),
        Judgement("unknown ploop", SampleImage(600), as: "ploop", .accepted(nil)),
        Judgement("anything", SampleImage(600), as: "ami", .accepted(nil)),
        Judgement("anything", .qcow2(), as: "raw", .accepted(1024)),
        Judgement("gpt", .partitions([SampleImage.protectivePartition]), as: "gpt", .accepted(4096)),
    ]

    private static let mismatches = [
        Judgement("raw", SampleImage(600), as: "qcow2", isNot("qcow2", "raw")),
        Judgement(
            "qcow2 cut in its header",
            SampleImage(40).put([0x51, 0x46, 0x49, 0xFB], at: 0),
            as: "qcow2",
            isNot("qcow2", "raw")
        ),
        Judgement(
            "vhdx without metadata",
            SampleImage(1 << 20).text("vhdxfile", at: 0),
            as: "vhdx",
            isNot("vhdx", "raw")
        ),
        Judgement("vmdk", .vmdk(), as: "vdi", isNot("vdi", "vmdk")),
        Judgement("qcow2", .qcow2(), as: "ami", isNot("ami", "qcow2")),
        Judgement(
            "a footer of other data",
            SampleImage(8192).put(SampleImage.vhdFooter(type: 2, size: 4096), at: 7680),
            as: "vhd",
            isNot("vhd", "raw")
        ),
        Judgement(
            "two formats",
            .iso().put(SampleImage.qcow2().bytes, at: 0),
            as: "iso",
            .refused("Multiple formats detected")
        ),
        Judgement(
            "two formats",
            .iso().put(SampleImage.qcow2().bytes, at: 0),
            as: "raw",
            .refused("Multiple formats detected")
        ),
    ]

    private static let qcow2Rules = [
        Judgement("backing file", .qcow2(backing: 600), as: "qcow2", unsafe),
        Judgement("backing file", .qcow2(backing: 600), as: "raw", unsafe),
        Judgement("backing file, version 2", .qcow2(version: 2, backing: 600), as: "qcow2", unsafe),
        Judgement("dirty, corrupt, compression", .qcow2(features: 0b1011), as: "qcow2", .accepted(size)),
        Judgement("data file", .qcow2(features: 4), as: "qcow2", unsafe),
        Judgement("extended level 2", .qcow2(features: 16), as: "qcow2", unsafe),
        Judgement("unknown feature", .qcow2(features: 1 << 62), as: "qcow2", unsafe),
        Judgement("version 1", .qcow2(version: 1), as: "qcow2", unsafe),
        Judgement("version 4", .qcow2(version: 4), as: "qcow2", unsafe),
        Judgement("beyond 8 EiB", .qcow2(size: 1 << 63), as: "qcow2", unsafe),
        Judgement("qed", SampleImage(512).text("QED\0", at: 0), as: "raw", unsafe),
        Judgement("luks 2", .luks(version: 2), as: "luks", unsafe),
    ]

    private static func descriptor(_ from: String, _ to: String) -> SampleImage {
        .vmdk(SampleImage.descriptor.split(separator: from, omittingEmptySubsequences: false).joined(separator: to))
    }

    private static let vmdkRules = [
        Judgement("descriptor alone", SampleImage(600).text(SampleImage.descriptor, at: 0), as: "vmdk", unsafe),
        Judgement("descriptor alone", SampleImage(600).text(SampleImage.descriptor, at: 0), as: "raw", unsafe),
        Judgement("old extent", SampleImage(600).text("COWD", at: 0), as: "vmdk", unsafe),
        Judgement("empty descriptor", .vmdk(""), as: "vmdk", unsafe),
        Judgement("descriptor at the header", .vmdk().little(UInt64(0), at: 28), as: "vmdk", unsafe),
        Judgement("descriptor beyond the end", .vmdk().little(UInt64(1 << 40), at: 28), as: "vmdk", unsafe),
        Judgement("descriptor too far to count", .vmdk().little(UInt64.max, at: 28), as: "vmdk", unsafe),
        Judgement("descriptor too long", .vmdk().little(UInt64(1 << 30), at: 36), as: "vmdk", unsafe),
        Judgement("flat", descriptor("monolithicSparse", "monolithicFlat"), as: "vmdk", unsafe),
        Judgement("no type", descriptor("createType", "kind"), as: "vmdk", unsafe),
        Judgement(
            "second type in a comment",
            descriptor("version=1", "#createType=\"monolithicFlat\""),
            as: "vmdk",
            unsafe
        ),
        Judgement("no extent", descriptor("RW ", "# "), as: "vmdk", unsafe),
        Judgement("path in an extent", descriptor("disk.vmdk", "/etc/passwd"), as: "vmdk", unsafe),
        Judgement(
            "second extent",
            descriptor("ddb.adapterType", "RW 20 SPARSE \"passwd\"\nddb.adapterType"),
            as: "vmdk",
            unsafe
        ),
        Judgement("extent of plain data", descriptor("SPARSE \"disk.vmdk\"", "FLAT \"passwd\" 0"), as: "vmdk", unsafe),
        Judgement("extent of a host's disk", descriptor("SPARSE", "VMFSRDM"), as: "vmdk", unsafe),
        Judgement("extent of no type", descriptor("SPARSE \"disk.vmdk\"", ""), as: "vmdk", unsafe),
        Judgement("zeroes alone", descriptor("SPARSE \"disk.vmdk\"", "ZERO"), as: "vmdk", unsafe),
        Judgement(
            "zeroes beside",
            descriptor("ddb.adapterType", "RW 63 ZERO\nddb.adapterType"),
            as: "vmdk",
            .accepted(size)
        ),
        Judgement("only to be read", descriptor("RW ", "RDONLY\t"), as: "vmdk", .accepted(size)),
        Judgement("path of a log", descriptor("version=1", "changeTrackPath=\"/etc/passwd\""), as: "vmdk", unsafe),
        Judgement("log", descriptor("version=1", "changeTrackPath=\"disk-ctk.vmdk\""), as: "vmdk", .accepted(size)),
        Judgement("long text", .vmdk(SampleImage.longDescriptor, sectors: 2048), as: "vmdk", .accepted(size)),
        Judgement(
            "text too long to keep",
            .vmdk(SampleImage.longDescriptor + String(repeating: "#", count: 100_000), sectors: 2048),
            as: "vmdk",
            unsafe
        ),
        Judgement("parent", descriptor("ffffffff", "12345678"), as: "vmdk", unsafe),
        Judgement("parent's name", descriptor("version=1", "parentFileNameHint=\"x\""), as: "vmdk", unsafe),
        Judgement(
            "parent's name in a comment",
            descriptor("version=1", "# parentFileNameHint=\"x\""),
            as: "vmdk",
            unsafe
        ),
        Judgement(
            "parent's name in the data base",
            descriptor("ddb.adapterType", "ddb.parentFileNameHint"),
            as: "vmdk",
            unsafe
        ),
        Judgement("strange line", descriptor("version=1", "version: 1"), as: "vmdk", unsafe),
        Judgement(
            "behind a carriage return",
            descriptor("version=1", "version=1\rRW 1 FLAT \"/etc/passwd\" 0"),
            as: "vmdk",
            unsafe
        ),
        Judgement("lines end with CR LF", descriptor("\n", "\r\n"), as: "vmdk", .accepted(size)),
        Judgement("name in another language", descriptor("disk.vmdk", "Плата.vmdk"), as: "vmdk", .accepted(size)),
        Judgement("no capacity", .vmdk(capacity: 0), as: "vmdk", unsafe),
        Judgement("capacity beyond 8 EiB", .vmdk(capacity: .max), as: "vmdk", unsafe),
        Judgement("stream cut", .vmdk().little(UInt64.max, at: 56), as: "vmdk", unsafe),
        Judgement("stream with another footer", .streamVMDK { $0.little(UInt64(9), at: 28) }, as: "vmdk", unsafe),
        Judgement("stream whose footer points on", .streamVMDK { $0.little(UInt64.max, at: 56) }, as: "vmdk", unsafe),
        Judgement("stream without an end", .streamVMDK(end: [1]), as: "vmdk", unsafe),
    ]

    private static func changed(_ entry: [UInt8], _ offset: Int, _ value: UInt8) -> [UInt8] {
        var entry = entry
        entry[offset] = value
        return entry
    }

    private static let partitionRules = [
        Judgement("one partition", .partitions([SampleImage.linuxPartition]), as: "raw", .accepted(4096)),
        Judgement("protective partition", .partitions([SampleImage.protectivePartition]), as: "raw", .accepted(4096)),
        Judgement("no partitions", .partitions([]), as: "raw", unsafe),
        Judgement("boot flag", .partitions([changed(SampleImage.linuxPartition, 0, 7)]), as: "raw", unsafe),
        Judgement(
            "two beside gpt",
            .partitions([SampleImage.protectivePartition, SampleImage.linuxPartition]),
            as: "raw",
            unsafe
        ),
        Judgement(
            "gpt in slot 1",
            .partitions([Array(repeating: 0, count: 16), SampleImage.protectivePartition]),
            as: "raw",
            unsafe
        ),
        Judgement(
            "gpt from sector 2",
            .partitions([changed(SampleImage.protectivePartition, 8, 2)]),
            as: "raw",
            unsafe
        ),
        Judgement(
            "gpt from elsewhere",
            .partitions([changed(SampleImage.protectivePartition, 2, 1)]),
            as: "raw",
            unsafe
        ),
        Judgement(
            "FAT",
            SampleImage.partitions([]).put([2], at: 0x10).put([0xF8], at: 0x15),
            as: "raw",
            .accepted(4096)
        ),
    ]

    private static let parents = [
        Judgement(
            "differencing vhd",
            SampleImage(1024).put(SampleImage.vhdFooter(type: 4, size: 9), at: 0),
            as: "vhd",
            unsafe
        ),
        Judgement("differencing vhdx", .vhdx(parent: true), as: "vhdx", unsafe),
        Judgement("differencing vdi", .vdi(type: 4), as: "vdi", unsafe),
    ]

    @Test("an image is held against what its sender says", arguments: judgements)
    func judge(_ judgement: Judgement) {
        let outcome = outcome(of: inspect(judgement.image.bytes), judgement.claim)
        #expect(outcome == judgement.outcome)
    }

    private func outcome(_ rules: FormatRules = FormatRules(), of inspection: Inspection, _ claim: String)
        -> Judgement.Outcome
    {
        do {
            return .accepted(try inspection.judge(claimed: claim, by: rules).virtualSize)
        } catch {
            return .refused(error.message)
        }
    }

    @Test("chunks may be cut anywhere", arguments: [1, 7, 512, 4096, 327_680, 1_000_000])
    func chunks(_ length: Int) {
        for image in [SampleImage.vhdx(), .vmdk(at: 4000), .streamVMDK(), .fixedVHD(SampleImage(700_001)), .iso()]
        where length > 100 || image.bytes.count < 100_000 {
            #expect(inspect(image.bytes, chunk: length) == inspect(image.bytes, chunk: image.bytes.count))
        }
    }

    @Test("an inspector keeps little, wherever the stream stops", arguments: [4096, 1_000_000])
    func memory(_ length: Int) {
        let long = SampleImage.vmdk(SampleImage.longDescriptor + String(repeating: "#", count: 900_000), sectors: 2048)
        let text = SampleImage(0).filled(300_000, with: UInt8(ascii: "x"))
        for image in [SampleImage.vhdx(), long, text, SampleImage(1 << 20)] {
            var inspector = ImageInspector()
            var most = 0
            image.bytes.withUnsafeBytes { bytes in
                for start in stride(from: 0, to: bytes.count, by: length) {
                    let piece = bytes[start..<min(start + length, bytes.count)]
                    inspector.update(UnsafeRawBufferPointer(rebasing: piece))
                    most = max(most, inspector.keptByteCount)
                }
            }
            #expect((1...170 * 1024).contains(most))
        }
    }

    @Test("without the requirement to match, what is safe is let pass with a warning and no size")
    func toleratesMismatch() throws {
        let rules = FormatRules(requiresMatch: false)
        let verdict = try inspect(SampleImage.vmdk().bytes).judge(claimed: "qcow2", by: rules)
        #expect(verdict.virtualSize == nil)
        #expect(verdict.warnings == ["Image disk_format qcow2 does not match stream data vmdk"])
        #expect(outcome(rules, of: inspect(SampleImage.qcow2(backing: 9).bytes), "raw") == Self.unsafe)
        let both = SampleImage.iso().put(SampleImage.qcow2(backing: 9).bytes, at: 0)
        #expect(outcome(rules, of: inspect(both.bytes), "iso") == Self.unsafe)
    }

    @Test("checks of the partition table can be made warnings; others can not")
    func toleratedChecks() {
        let beside = inspect(
            SampleImage.partitions([SampleImage.protectivePartition, SampleImage.linuxPartition]).bytes
        )
        let flag = inspect(SampleImage.partitions([Self.changed(SampleImage.linuxPartition, 0, 7)]).bytes)
        let all: Set = ["mbr", "gptmbr", "backing_file"]
        #expect(outcome(FormatRules(toleratedChecks: ["gptmbr"]), of: beside, "raw") == .accepted(4096))
        #expect(outcome(FormatRules(toleratedChecks: ["mbr"]), of: beside, "raw") == .accepted(4096))
        #expect(outcome(FormatRules(toleratedChecks: ["mbr"]), of: flag, "raw") == .accepted(4096))
        #expect(outcome(FormatRules(toleratedChecks: ["gptmbr"]), of: flag, "raw") == Self.unsafe)
        #expect(
            outcome(FormatRules(toleratedChecks: all), of: inspect(SampleImage.qcow2(backing: 9).bytes), "raw")
                == Self.unsafe
        )
    }

    @Test("damaged images never do more than be refused")
    func damaged() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(state: seed)
        let images = Self.judgements.map(\.image).filter { (1..<100_000).contains($0.bytes.count) }
        for _ in 0..<3000 {
            var bytes = images.randomElement(using: &random)!.bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let offset = Int.random(in: 0..<min(bytes.count, 1024), using: &random)
                bytes[offset] = [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)].randomElement(
                    using: &random
                )!
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            let inspection = inspect(bytes)
            for claim in ["raw", "qcow2", "vmdk", "vhd", "iso", "ami"] { _ = outcome(of: inspection, claim) }
            #expect(inspection.byteCount == Int64(bytes.count), "seed \(seed)")
        }
    }
}

/// Numbers that a seed decides.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

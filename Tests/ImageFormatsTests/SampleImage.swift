/// Makes the beginnings of images, as large as a format needs to be recognized.
struct SampleImage {
    var bytes: [UInt8]

    init(_ count: Int) { bytes = Array(repeating: 0, count: count) }

    func filled(_ count: Int, with byte: UInt8) -> SampleImage {
        var copy = self
        copy.bytes += repeatElement(byte, count: count)
        return copy
    }

    func text(_ text: String, at offset: Int) -> SampleImage { put(Array(text.utf8), at: offset) }

    func put(_ new: [UInt8], at offset: Int) -> SampleImage {
        var copy = self
        copy.bytes.replaceSubrange(offset..<offset + new.count, with: new)
        return copy
    }

    func big<T: FixedWidthInteger>(_ value: T, at offset: Int) -> SampleImage {
        put(withUnsafeBytes(of: value.bigEndian, Array.init), at: offset)
    }

    func little<T: FixedWidthInteger>(_ value: T, at offset: Int) -> SampleImage {
        put(withUnsafeBytes(of: value.littleEndian, Array.init), at: offset)
    }
}

extension SampleImage {
    static let mebibyte: UInt64 = 1024 * 1024

    static func qcow2(version: UInt32 = 3, backing: UInt64 = 0, features: UInt64 = 0, size: UInt64 = mebibyte)
        -> SampleImage
    {
        SampleImage(1024).put([0x51, 0x46, 0x49, 0xFB], at: 0).big(version, at: 4).big(backing, at: 8).big(size, at: 24)
            .big(features, at: 72)
    }

    static func vhdFooter(type: UInt32, size: UInt64) -> [UInt8] {
        let footer = SampleImage(512).text("conectix", at: 0).big(size, at: 40).big(size, at: 48).big(type, at: 60)
        return footer.big(~footer.bytes.reduce(UInt32(0)) { $0 + UInt32($1) }, at: 64).bytes
    }

    /// A fixed disk: data, then the footer.
    static func fixedVHD(_ data: SampleImage) -> SampleImage {
        var image = data
        image.bytes += vhdFooter(type: 2, size: UInt64(data.bytes.count))
        return image
    }

    static func partitions(_ entries: [[UInt8]]) -> SampleImage {
        entries.enumerated().reduce(SampleImage(4096).put([0x55, 0xAA], at: 510)) {
            $0.put($1.element, at: 446 + $1.offset * 16)
        }
    }

    static let linuxPartition: [UInt8] = [0x80, 1, 1, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0]
    static let protectivePartition: [UInt8] = [0, 0, 2, 0, 0xEE, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]

    static func iso(blocks: UInt32 = 200) -> SampleImage {
        SampleImage(40 * 1024).put([1], at: 32768).text("CD001", at: 32769).little(blocks, at: 32768 + 80)
            .little(UInt16(2048), at: 32768 + 128)
    }

    static func luks(version: UInt16 = 1, payloadSector: UInt32 = 2) -> SampleImage {
        SampleImage(4096).put([0x4C, 0x55, 0x4B, 0x53, 0xBA, 0xBE], at: 0).big(version, at: 6).big(
            payloadSector,
            at: 104
        )
    }

    static func vdi(type: UInt32 = 1) -> SampleImage {
        SampleImage(1024).little(UInt32(0xBEDA_107F), at: 0x40).little(type, at: 0x4C).little(mebibyte, at: 0x170)
    }

    static func ploop(_ magic: String, sectors: UInt64) -> SampleImage {
        SampleImage(128).text(magic, at: 0).little(sectors, at: 36)
    }

    /// A VHDX with its metadata at `offset`, the first or the second copy of its region table valid.
    static func vhdx(metadataAt offset: Int = 2 << 20, tableAt table: Int = 192 * 1024, parent: Bool = false)
        -> SampleImage
    {
        let regionID: [UInt8] = [
            6, 0xA2, 0x7C, 0x8B, 0x90, 0x47, 0x9A, 0x4B, 0xB8, 0xFE, 0x57, 0x5F, 5, 0x0F, 0x88, 0x6E,
        ]
        let parametersID: [UInt8] = [
            0x37, 0x67, 0xA1, 0xCA, 0x36, 0xFA, 0x43, 0x4D, 0xB3, 0xB6, 0x33, 0xF0, 0xAA, 0x44, 0xE7, 0x6B,
        ]
        let sizeID: [UInt8] = [
            0x24, 0x42, 0xA5, 0x2F, 0x1B, 0xCD, 0x76, 0x48, 0xB2, 0x11, 0x5D, 0xBE, 0xD8, 0x3B, 0xF4, 0xB8,
        ]
        return SampleImage(offset + (2 << 20)).text("vhdxfile", at: 0)
            .text("regi", at: table).little(UInt32(1), at: table + 8).put(regionID, at: table + 16)
            .little(UInt64(offset), at: table + 32).little(UInt32(1 << 20), at: table + 40)
            .text("metadata", at: offset).little(UInt16(2), at: offset + 10)
            .put(parametersID, at: offset + 32).little(UInt32(65536), at: offset + 48).little(
                UInt32(8),
                at: offset + 52
            )
            .put(sizeID, at: offset + 64).little(UInt32(65544), at: offset + 80).little(UInt32(8), at: offset + 84)
            .little(UInt32(parent ? 2 : 0), at: offset + 65540).little(mebibyte, at: offset + 65544)
    }

    static let descriptor = """
        # Disk DescriptorFile
        version=1
        CID=12345678
        parentCID=ffffffff
        createType="monolithicSparse"

        RW 2048 SPARSE "disk.vmdk"
        ddb.adapterType = "ide"
        """

    /// So long that not every text that goes on behind it is kept.
    static let longDescriptor = descriptor + "\n" + String(repeating: "#", count: 100_000)

    /// - Parameters:
    ///   - sector: where the descriptor is.
    ///   - sectors: how long it is.
    static func vmdk(
        _ descriptor: String = descriptor,
        at sector: Int = 1,
        sectors: Int = 20,
        capacity: UInt64 = 2048
    ) -> SampleImage {
        SampleImage((sector + sectors) * 512).text("KDMV", at: 0).little(UInt32(1), at: 4).little(capacity, at: 12)
            .little(UInt64(sector), at: 28).little(UInt64(sectors), at: 36).little(UInt64(30), at: 56)
            .text(descriptor, at: sector * 512)
    }

    /// - Parameter change: What the footer says differently.
    static func streamVMDK(footer change: (SampleImage) -> SampleImage = { $0 }, end: [UInt8] = [0]) -> SampleImage {
        let text = descriptor.split(separator: "\n").map {
            $0.hasPrefix("createType") ? "createType=\"streamOptimized\"" : $0
        }.joined(separator: "\n")
        var image = vmdk(text).little(UInt64.max, at: 56)
        let header = SampleImage(512).put(Array(image.bytes[..<512]), at: 0).little(UInt64(25), at: 56)
        image.bytes += SampleImage(512).little(UInt64(1), at: 0).little(UInt32(3), at: 12).bytes
        image.bytes += change(header).bytes
        image.bytes += SampleImage(512).put(end, at: 0).bytes
        return image
    }
}

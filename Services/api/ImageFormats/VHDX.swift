/// Hyper-V's format ([MS-VHDX]): a region table says where the metadata is, and a metadata table in there where the items
/// are.
enum VHDX {
    /// The two copies of the region table, one right behind the other.
    static let tables: Range<Int64> = 192 * 1024..<320 * 1024
    private static let tableByteCount = 64 * 1024
    private static let mostRegions: UInt32 = 2047
    private static let mostItems: UInt16 = 2047

    /// 8B7CA206-4790-4B9A-B8FE-575F050F886E, as it is stored: the first three groups little-endian.
    private static let metadataRegionID: [UInt8] = [
        0x06, 0xA2, 0x7C, 0x8B, 0x90, 0x47, 0x9A, 0x4B, 0xB8, 0xFE, 0x57, 0x5F, 0x05, 0x0F, 0x88, 0x6E,
    ]
    /// CAA16737-FA36-4D43-B3B6-33F0AA44E76B, as it is stored: the first three groups little-endian.
    private static let fileParametersID: [UInt8] = [
        0x37, 0x67, 0xA1, 0xCA, 0x36, 0xFA, 0x43, 0x4D, 0xB3, 0xB6, 0x33, 0xF0, 0xAA, 0x44, 0xE7, 0x6B,
    ]
    /// 2FA54224-CD1B-4876-B211-5DBED83BF4B8, as it is stored: the first three groups little-endian.
    private static let virtualDiskSizeID: [UInt8] = [
        0x24, 0x42, 0xA5, 0x2F, 0x1B, 0xCD, 0x76, 0x48, 0xB2, 0x11, 0x5D, 0xBE, 0xD8, 0x3B, 0xF4, 0xB8,
    ]

    @Sendable static func find(_ sample: StreamSample) -> FormatFinding? {
        let regions = sample.metadataRegions
        guard let region = regions.first, let metadata = sample.region, metadata.starts(with: "metadata")
        else { return nil }
        let isCut = metadata.count < min(region.count, ImageInspector.regionByteCount)
        let flags = items(fileParametersID, in: metadata).map { $0?.little(UInt32.self, at: 4) }
        let sizes = items(virtualDiskSizeID, in: metadata).map { $0?.little(UInt64.self, at: 0) }
        var violations: [SafetyViolation] = []
        if flags.contains(where: { $0.map { $0 & 2 != 0 } ?? false }) {
            violations.append(.init(.backingFile, "a differencing disk, which names a parent"))
        }
        if regions.count > 1 { violations.append(.init(.descriptor, "metadata in two places")) }
        if !isCut, flags.count != 1 || sizes.count != 1 || flags.contains(nil) || sizes.contains(nil) {
            violations.append(.init(.descriptor, "metadata that readers may read differently"))
        }
        return FormatFinding(.vhdx, virtualSize: sizes.first ?? nil, violations: violations).orNothing(ifCut: isCut)
    }

    /// Whether it is one that begins with `head`.
    static func isBegun(by head: ByteView) -> Bool { head.starts(with: "vhdxfile") }

    /// All places where some reader may look for the metadata: both copies of the table should say the same.
    ///
    /// - Parameter tables: The bytes there.
    static func metadataRegions(_ tables: ByteView) -> [Range<Int64>] {
        var regions: [Range<Int64>] = []
        for offset in [0, tableByteCount] {
            guard let table = tables.slice(offset, tableByteCount), table.starts(with: "regi"),
                let count = table.little(UInt32.self, at: 8), count <= mostRegions
            else { continue }
            for entry in 0..<Int(count) {
                let start = 16 + entry * 32
                guard table.starts(with: metadataRegionID, at: start) else { continue }
                guard let offset = table.little(UInt64.self, at: start + 16).flatMap({ Int64(exactly: $0) }),
                    let length = table.little(UInt32.self, at: start + 24),
                    length > 0, offset >= Self.tables.upperBound, offset <= Int64.max - Int64(length)
                else { continue }
                let region = offset..<offset + Int64(length)
                if !regions.contains(region) { regions.append(region) }
            }
        }
        return regions
    }

    /// The bytes of all metadata items of one kind, of which there should be one; `nil` for one that was not kept.
    private static func items(_ id: [UInt8], in metadata: ByteView) -> [ByteView?] {
        guard let count = metadata.little(UInt16.self, at: 10), count <= mostItems else { return [] }
        return (0..<Int(count)).map { 32 + $0 * 32 }.filter { metadata.starts(with: id, at: $0) }.map { start in
            guard let offset = metadata.little(UInt32.self, at: start + 16),
                let length = metadata.little(UInt32.self, at: start + 20)
            else { return nil }
            return metadata.slice(Int(offset), Int(length))
        }
    }
}

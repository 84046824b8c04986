/// Parallels' expandable image (QEMU docs/interop/parallels), which OpenVZ's ploop uses.
enum Ploop {
    private static let headerByteCount = 64
    private static let sectorByteCount: UInt64 = 512

    @Sendable static func find(_ sample: StreamSample) -> FormatFinding? {
        guard let header = sample.head.slice(0, headerByteCount), let sectors = header.little(UInt64.self, at: 36)
        else { return nil }
        let count: UInt64
        if header.starts(with: "WithouFreSpacExt") {
            count = sectors
        } else if header.starts(with: "WithoutFreeSpace") {
            // The older form counts in 32 bits.
            count = sectors & 0xFFFF_FFFF
        } else {
            return nil
        }
        let (size, overflow) = count.multipliedReportingOverflow(by: sectorByteCount)
        return FormatFinding(.ploop, virtualSize: overflow ? .max : size)
    }
}

/// Linux' encrypted volumes, version 1 (LUKS On-Disk Format 1.2.3): the header, then the payload to the end.
enum LUKS {
    private static let headerByteCount = 592
    private static let sectorByteCount: UInt64 = 512

    @Sendable static func find(_ sample: StreamSample) -> FormatFinding? {
        guard let header = sample.head.slice(0, headerByteCount),
            header.starts(with: [0x4C, 0x55, 0x4B, 0x53, 0xBA, 0xBE]), let version = header.big(UInt16.self, at: 6),
            let payload = header.big(UInt32.self, at: 104)
        else { return nil }
        guard version == 1 else { return FormatFinding(.luks, violations: [.init(.version, "version \(version)")]) }
        let begin = UInt64(payload) * sectorByteCount
        let end = UInt64(sample.byteCount)
        return FormatFinding(.luks, virtualSize: end >= begin ? end - begin : nil)
    }
}

/// VirtualBox's disk image: a text, then a header at a fixed place.
enum VDI {
    private static let headerByteCount = 512
    private static let signature: UInt32 = 0xBEDA_107F
    private static let dynamic: UInt32 = 1
    private static let fixed: UInt32 = 2

    @Sendable static func find(_ sample: StreamSample) -> FormatFinding? {
        let header = sample.head.padded(to: headerByteCount)
        guard header.little(UInt32.self, at: 0x40) == signature,
            let type = header.little(UInt32.self, at: 0x4C), let size = header.little(UInt64.self, at: 0x170)
        else { return nil }
        let violations: [SafetyViolation] =
            type == dynamic || type == fixed ? [] : [.init(.backingFile, "a disk that stands on another one")]
        return FormatFinding(.vdi, virtualSize: size, violations: violations)
            .orNothing(ifCut: sample.head.count < headerByteCount)
    }
}

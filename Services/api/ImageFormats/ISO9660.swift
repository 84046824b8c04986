/// A CD's file system (ECMA-119): volume descriptors behind 16 sectors that belong to nobody.
enum ISO9660 {
    private static let descriptorOffset = 32 * 1024
    private static let descriptorByteCount = 2048
    private static let primary: UInt8 = 1

    @Sendable static func find(_ sample: StreamSample) -> FormatFinding? {
        guard let descriptor = sample.head.slice(descriptorOffset, descriptorByteCount),
            descriptor.starts(with: "CD001", at: 1), let type = descriptor.byte(0),
            let blocks = descriptor.little(UInt32.self, at: 80),
            let blockByteCount = descriptor.little(UInt16.self, at: 128)
        else { return nil }
        return FormatFinding(.iso, virtualSize: type == primary ? UInt64(blocks) * UInt64(blockByteCount) : nil)
    }
}

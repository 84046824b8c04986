/// Microsoft's Virtual Hard Disk Image Format Specification, 1.0: a dynamic or differencing disk begins with a copy of the
/// footer, a fixed one is plain data with the footer behind.
enum VHD {
    private static let footerByteCount = 512
    private static let fixed: UInt32 = 2
    private static let differencing: UInt32 = 4

    @Sendable static func find(_ sample: StreamSample) -> FormatFinding? {
        guard let footer = sample.head.slice(0, footerByteCount), footer.starts(with: "conectix"),
            let size = footer.big(UInt64.self, at: 40), let type = footer.big(UInt32.self, at: 60)
        else { return nil }
        let violations: [SafetyViolation] =
            type == differencing ? [.init(.backingFile, "a differencing disk, which names a parent")] : []
        return FormatFinding(.vhd, virtualSize: size, violations: violations)
    }

    /// What a fixed disk's footer says of its size, in bytes; `nil` when the stream does not end with one that fits it.
    static func fixedDiskSize(_ sample: StreamSample) -> Int64? {
        guard let footer = sample.tail.slice(sample.tail.count - footerByteCount, footerByteCount),
            footer.starts(with: "conectix"), footer.big(UInt32.self, at: 60) == fixed,
            let size = footer.big(UInt64.self, at: 48).flatMap({ Int64(exactly: $0) }),
            size == sample.byteCount - Int64(footerByteCount), footer.big(UInt32.self, at: 64) == checksum(footer)
        else { return nil }
        return size
    }

    /// The complement of the sum of all bytes but the checksum's own.
    private static func checksum(_ footer: ByteView) -> UInt32 {
        ~footer.array.enumerated().reduce(UInt32(0)) { (64..<68).contains($1.offset) ? $0 : $0 + UInt32($1.element) }
    }
}

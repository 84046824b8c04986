/// Microsoft's Virtual Hard Disk Image Format Specification, 1.0: a dynamic or differencing disk begins with a copy of the
/// footer, a fixed one is plain data with the footer behind.
enum VHD {
    private static let footerByteCount = 512
    private static let fixed: UInt32 = 2
    private static let differencing: UInt32 = 4

    @Sendable static func find(_ sample: StreamSample) -> FormatFinding? {
        let copy = sample.head.padded(to: footerByteCount)
        // Some readers look at the footer before its copy, and do not need the copy.
        let parents = [copy, footer(sample)].compactMap(\.self).filter { type($0) == differencing }
        let violations: [SafetyViolation] =
            parents.isEmpty ? [] : [.init(.backingFile, "a differencing disk, which names a parent")]
        guard type(copy) != nil else { return violations.isEmpty ? nil : FormatFinding(.vhd, violations: violations) }
        return FormatFinding(.vhd, virtualSize: copy.big(UInt64.self, at: 40), violations: violations)
            .orNothing(ifCut: sample.head.count < footerByteCount)
    }

    /// What a fixed disk's footer says of its size, in bytes; `nil` when the stream does not end with one that fits it.
    static func fixedDiskSize(_ sample: StreamSample) -> Int64? {
        guard let footer = footer(sample), type(footer) == fixed,
            let size = footer.big(UInt64.self, at: 48).flatMap({ Int64(exactly: $0) }),
            size == sample.byteCount - Int64(footerByteCount), footer.big(UInt32.self, at: 64) == checksum(footer)
        else { return nil }
        return size
    }

    /// What may be a footer, behind all else.
    private static func footer(_ sample: StreamSample) -> ByteView? {
        sample.tail.slice(sample.tail.count - footerByteCount, footerByteCount)
    }

    /// Which kind of disk a footer says that it is of; `nil` for what is none.
    private static func type(_ footer: ByteView) -> UInt32? {
        footer.starts(with: "conectix") ? footer.big(UInt32.self, at: 60) : nil
    }

    /// The complement of the sum of all bytes but the checksum's own.
    private static func checksum(_ footer: ByteView) -> UInt32 {
        ~footer.array.enumerated().reduce(UInt32(0)) { (64..<68).contains($1.offset) ? $0 : $0 + UInt32($1.element) }
    }
}

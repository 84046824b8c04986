/// VMware's virtual disk format 5.0: a sparse extent with its descriptor inside. A descriptor is a text that can name
/// other files, so what some reader takes for a text alone is recognized too, and refused.
enum VMDK {
    static let sectorByteCount = 512
    /// Says that the grain directory, and so the valid header, comes at the end.
    private static let directoryAtEnd = UInt64.max
    private static let mostDescriptorSectors: UInt64 = 2048
    /// QEMU looks for a parent's name in so many bytes, however long the descriptor is said to be…
    private static let searchedByteCount = 20 * sectorByteCount
    /// …and it does so here, wherever the descriptor is said to be.
    private static let searchedOffset = sectorByteCount

    @Sendable static func find(_ sample: StreamSample) -> FormatFinding? {
        if VMDKDescriptor.isAlone(sample.head) {
            return FormatFinding(
                .vmdk,
                violations: [.init(.descriptor, "a descriptor alone, whose extents are other files")]
            )
        }
        if sample.head.starts(with: "COWD") {
            return FormatFinding(.vmdk, violations: [.init(.descriptor, "an extent without a descriptor")])
        }
        guard let header = header(sample.head), let capacity = header.little(UInt64.self, at: 12) else { return nil }
        let (size, overflow) = capacity.multipliedReportingOverflow(by: UInt64(sectorByteCount))
        var violations = footerViolations(header, sample) + descriptorViolations(sample)
        // QEMU then opens what the descriptor's extent lines name.
        if capacity == 0 { violations.append(.init(.descriptor, "no capacity of its own")) }
        return FormatFinding(.vmdk, virtualSize: overflow ? .max : size, violations: violations)
    }

    /// What has to be seen for the descriptor, in a stream that begins with `head`.
    static func descriptorRegion(_ head: ByteView) -> Range<Int64>? {
        descriptorPlace(head).map { place in
            place.lowerBound..<max(place.upperBound, place.lowerBound + Int64(searchedByteCount))
        }
    }

    /// Where the header says that the descriptor is.
    private static func descriptorPlace(_ head: ByteView) -> Range<Int64>? {
        guard let header = header(head), let offset = header.little(UInt64.self, at: 28),
            let length = header.little(UInt64.self, at: 36), offset > 0, length > 0, length <= mostDescriptorSectors,
            offset <= UInt64(Int64.max) / UInt64(sectorByteCount) - mostDescriptorSectors
        else { return nil }
        return Int64(offset) * Int64(sectorByteCount)..<Int64(offset + length) * Int64(sectorByteCount)
    }

    private static func header(_ head: ByteView) -> ByteView? {
        head.starts(with: "KDMV") ? head.padded(to: sectorByteCount) : nil
    }

    private static func descriptorViolations(_ sample: StreamSample) -> [SafetyViolation] {
        guard let place = descriptorPlace(sample.head), place.upperBound <= sample.byteCount, let region = sample.region
        else { return [.init(.descriptor, "no descriptor")] }
        // What was not kept may be said to be a descriptor's, but then its text ends before.
        guard place.count <= region.count || region.array.contains(0) else {
            return [.init(.descriptor, "a descriptor that is too long")]
        }
        let searched = sample.head.slice(
            searchedOffset,
            min(searchedByteCount, max(0, sample.head.count - searchedOffset))
        )
        guard searched.map({ !VMDKDescriptor($0).namesParent }) ?? true else {
            return [.init(.backingFile, "a parent's name beside the descriptor")]
        }
        return VMDKDescriptor(region).violations
    }

    /// A reader of a stream takes the header at its end for the valid one, so that one must say the same.
    private static func footerViolations(_ header: ByteView, _ sample: StreamSample) -> [SafetyViolation] {
        guard header.little(UInt64.self, at: 56) == directoryAtEnd else { return [] }
        // QEMU looks for the footer before the end of the last sector, others before that of the file.
        guard sample.byteCount % Int64(sectorByteCount) == 0, let marker = sample.tail.slice(0, sectorByteCount),
            let footer = sample.tail.slice(sectorByteCount, sectorByteCount),
            let end = sample.tail.slice(2 * sectorByteCount, sectorByteCount)
        else { return [.init(.descriptor, "a stream without a footer")] }
        // One sector of metadata, of the type that announces a footer.
        guard marker.little(UInt64.self, at: 0) == 1, marker.little(UInt32.self, at: 8) == 0,
            marker.little(UInt32.self, at: 12) == 3
        else { return [.init(.descriptor, "a stream without a footer marker")] }
        guard end.isZero else { return [.init(.descriptor, "a stream without an end marker")] }
        // All of the header up to the places of the grain directories, and the compression.
        guard footer.slice(0, 48)?.array == header.slice(0, 48)?.array,
            footer.slice(77, 2)?.array == header.slice(77, 2)?.array,
            footer.little(UInt64.self, at: 56) != directoryAtEnd
        else { return [.init(.descriptor, "a footer that differs from the header")] }
        return []
    }
}

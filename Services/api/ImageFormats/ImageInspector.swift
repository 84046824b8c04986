/// Finds out what a stream of bytes is, while it passes: give it every chunk in order, then ask for ``finish()``.
///
/// It keeps the beginning (``headByteCount``), the end (``tailByteCount``), and, for the formats that put what matters
/// further behind, one region of at most ``regionByteCount``: never more than 1.4 MiB, whatever the stream says. It never
/// goes back, follows no name and opens nothing.
public struct ImageInspector: Sendable {
    /// Covers every header and, with what is usual, a VMDK's descriptor and a VHDX's region table.
    static let headByteCount = 320 * 1024
    /// Covers a VMDK stream's footer and end marker, and a fixed VHD's footer.
    static let tailByteCount = 3 * 512
    /// As long as a VHDX metadata region is, and more than any descriptor.
    static let regionByteCount = 1024 * 1024

    private var head: [UInt8] = []
    private var tail: [UInt8] = []
    private var region: CapturedRegion?
    private var descriptorScan = DescriptorScan()
    private var byteCount: Int64 = 0
    private var isHeadTaken = false

    public init() {}

    /// Takes the next bytes of the stream.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        keepTail(bytes)
        descriptorScan.take(bytes)
        var rest = bytes[...]
        if !isHeadTaken {
            let part = rest.prefix(Self.headByteCount - head.count)
            head.append(contentsOf: part)
            rest = rest.dropFirst(part.count)
            byteCount += Int64(part.count)
            if head.count == Self.headByteCount { takeHead() }
        }
        region?.take(UnsafeRawBufferPointer(rebasing: rest), at: byteCount)
        byteCount += Int64(rest.count)
    }

    /// What the stream was.
    public mutating func finish() -> Inspection {
        if !isHeadTaken { takeHead() }
        let sample = StreamSample(
            head: ByteView(head),
            tail: ByteView(tail),
            region: region.map(\.view),
            byteCount: byteCount
        )
        return Inspection(
            findings: FormatProbe.all.compactMap { $0.find(sample) },
            hasFixedDiskFooter: VHD.fixedDiskSize(sample),
            namesDescriptorType: descriptorScan.isFound,
            byteCount: byteCount
        )
    }

    /// Decides, once and from the beginning alone, whether something further behind has to be kept.
    private mutating func takeHead() {
        isHeadTaken = true
        let view = ByteView(head)
        guard let range = VHDX.metadataRegion(view) ?? VMDK.descriptorRegion(view) else { return }
        var region = CapturedRegion(range)
        head.withUnsafeBytes { region.take($0, at: 0) }
        self.region = region
    }

    private mutating func keepTail(_ bytes: UnsafeRawBufferPointer) {
        if bytes.count >= Self.tailByteCount {
            tail = Array(bytes.suffix(Self.tailByteCount))
        } else {
            tail.removeFirst(max(0, tail.count + bytes.count - Self.tailByteCount))
            tail.append(contentsOf: bytes)
        }
    }
}

/// Part of a stream that is kept as it passes.
private struct CapturedRegion: Sendable {
    private let range: Range<Int64>
    private var bytes: [UInt8] = []

    /// - Parameter range: Cut to ``ImageInspector/regionByteCount``.
    init(_ range: Range<Int64>) {
        let count = min(Int64(range.count), Int64(ImageInspector.regionByteCount))
        self.range = range.lowerBound..<range.lowerBound + count
    }

    mutating func take(_ chunk: UnsafeRawBufferPointer, at offset: Int64) {
        let wanted = (offset..<offset + Int64(chunk.count)).clamped(to: range)
        guard !wanted.isEmpty else { return }
        let start = Int(wanted.lowerBound - offset)
        bytes.append(contentsOf: chunk[start..<start + wanted.count])
    }

    /// Less than what was asked for when the stream ended before.
    var view: ByteView { ByteView(bytes) }
}

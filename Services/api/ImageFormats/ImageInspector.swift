/// Finds out what a stream of bytes is, while it passes: give it every chunk in order, then ask for ``finish()``.
///
/// It keeps the beginning (``headByteCount``), the end (``tailByteCount``), and, for the formats that put what matters
/// further behind, one region of at most ``regionByteCount`` at a time: never more than 170 KiB, whatever the stream says:
/// an upload that rests keeps it as long. It never goes back, follows no name and opens nothing.
public struct ImageInspector: Sendable {
    /// Covers every header and, with what is usual, a VMDK's descriptor.
    static let headByteCount = 36 * 1024
    /// Covers a VMDK stream's footer and end marker, and a fixed VHD's footer.
    static let tailByteCount = 3 * 512
    /// Covers the two copies of a VHDX's region table, what any tool writes of its metadata, and more than any descriptor.
    static let regionByteCount = 128 * 1024

    private var head: [UInt8] = []
    private var tail: [UInt8] = []
    private var region: CapturedRegion?
    private var metadataRegions: [Range<Int64>] = []
    private var descriptorScan = DescriptorScan()
    private var byteCount: Int64 = 0
    private var isHeadTaken = false

    public init() {}

    /// How many bytes it keeps at the moment.
    package var keptByteCount: Int {
        head.capacity + tail.capacity + descriptorScan.keptByteCount + (region?.keptByteCount ?? 0)
    }

    /// Takes the next bytes of the stream.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        keepTail(bytes)
        descriptorScan.take(bytes)
        var rest = bytes[...]
        if !isHeadTaken {
            // What grows by itself takes up to twice as much.
            if head.isEmpty { head.reserveCapacity(Self.headByteCount) }
            let part = rest.prefix(Self.headByteCount - head.count)
            head.append(contentsOf: part)
            rest = rest.dropFirst(part.count)
            byteCount += Int64(part.count)
            if head.count == Self.headByteCount { takeHead() }
        }
        let chunk = UnsafeRawBufferPointer(rebasing: rest)
        region?.take(chunk, at: byteCount)
        if takeTables() { region?.take(chunk, at: byteCount) }
        byteCount += Int64(rest.count)
    }

    /// What the stream was.
    public mutating func finish() -> Inspection {
        if !isHeadTaken { takeHead() }
        let sample = StreamSample(
            head: ByteView(head),
            tail: ByteView(tail),
            region: region.map(\.view),
            metadataRegions: metadataRegions,
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
        guard let range = VHDX.isBegun(by: view) ? VHDX.tables : VMDK.descriptorRegion(view) else { return }
        var region = CapturedRegion(range)
        head.withUnsafeBytes { region.take($0, at: 0) }
        self.region = region
    }

    /// As soon as a VHDX's region tables are there, keeps what they point to instead of them: it lies behind them.
    ///
    /// - Returns: Whether it does from now on.
    private mutating func takeTables() -> Bool {
        guard metadataRegions.isEmpty, let tables = region, tables.range == VHDX.tables, tables.isWhole,
            VHDX.isBegun(by: ByteView(head))
        else { return false }
        metadataRegions = VHDX.metadataRegions(tables.view)
        region = metadataRegions.first.map { CapturedRegion($0) }
        return true
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
    let range: Range<Int64>
    private var bytes: [UInt8] = []

    /// - Parameter range: Cut to ``ImageInspector/regionByteCount``.
    init(_ range: Range<Int64>) {
        let count = min(Int64(range.count), Int64(ImageInspector.regionByteCount))
        self.range = range.lowerBound..<range.lowerBound + count
    }

    mutating func take(_ chunk: UnsafeRawBufferPointer, at offset: Int64) {
        let wanted = (offset..<offset + Int64(chunk.count)).clamped(to: range)
        guard !wanted.isEmpty else { return }
        if bytes.isEmpty { bytes.reserveCapacity(range.count) }
        let start = Int(wanted.lowerBound - offset)
        bytes.append(contentsOf: chunk[start..<start + wanted.count])
    }

    var keptByteCount: Int { bytes.capacity }
    var isWhole: Bool { bytes.count == range.count }

    /// Less than what was asked for when the stream ended before.
    var view: ByteView { ByteView(bytes) }
}

/// What a stream left behind after it passed.
struct StreamSample: Sendable {
    /// Its first bytes.
    var head: ByteView
    /// Its last bytes.
    var tail: ByteView
    /// What a format asked for besides, as much of it as came.
    var region: ByteView?
    /// Where a VHDX's region tables say that its metadata is; of those places the region is the first.
    var metadataRegions: [Range<Int64>] = []
    var byteCount: Int64
}

/// One format: looks at a sample and says whether it is that.
///
/// A format is found only when its whole header came: a stream cut within it is nothing. Unless it would be unsafe: QEMU
/// reads zeros behind the end, so for QEMU less than a header can be enough to name other files.
struct FormatProbe: Sendable {
    let find: @Sendable (StreamSample) -> FormatFinding?

    static let all: [FormatProbe] = [
        FormatProbe(find: QCOW2.find),
        FormatProbe(find: QED.find),
        FormatProbe(find: VHD.find),
        FormatProbe(find: VHDX.find),
        FormatProbe(find: VMDK.find),
        FormatProbe(find: VDI.find),
        FormatProbe(find: ISO9660.find),
        FormatProbe(find: PartitionTable.find),
        FormatProbe(find: LUKS.find),
        FormatProbe(find: Ploop.find),
    ]
}

/// A format that was recognized.
public struct FormatFinding: Sendable, Equatable {
    public var format: ImageFormat
    /// What the guest sees, in bytes; `nil` where the format does not say.
    public var virtualSize: Int64?
    /// Why the image must not be used; empty for a safe one.
    public var violations: [SafetyViolation]

    init(_ format: ImageFormat, virtualSize: UInt64? = nil, violations: [SafetyViolation] = []) {
        self.format = format
        self.virtualSize = virtualSize.flatMap { Int64(exactly: $0) }
        self.violations = violations
        if virtualSize != nil, self.virtualSize == nil { self.violations.append(.init(.size, "a size beyond 8 EiB")) }
    }

    /// A header of which a part is missing is worth to be told of only if it is unsafe.
    func orNothing(ifCut isCut: Bool) -> FormatFinding? { isCut && violations.isEmpty ? nil : self }
}

/// A rule of safety that an image breaks.
public struct SafetyViolation: Sendable, Equatable {
    /// The names that the reference inspector logs, and `gpt_safety_checks_nonfatal` takes.
    public enum Check: String, Sendable {
        case banned
        case backingFile = "backing_file"
        case dataFile = "data_file"
        case version
        case unknownFeatures = "unknown_features"
        case descriptor
        case mbr
        case gptmbr
        case size
    }

    public var check: Check
    /// For the log: what was found, in words of ours.
    public var reason: String

    init(_ check: Check, _ reason: String) {
        self.check = check
        self.reason = reason
    }
}

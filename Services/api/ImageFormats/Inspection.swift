/// What a stream of bytes turned out to be.
public struct Inspection: Sendable, Equatable {
    /// Every format that was recognized; none for raw data. Ordered as ``ImageFormat`` is.
    public var findings: [FormatFinding]
    /// What the footer of a fixed VHD says of its size: such a disk is plain data with a footer behind, so only who claims
    /// it can tell it from a raw disk.
    var hasFixedDiskFooter: Int64?
    /// Whether it is a text that says of which type a VMDK is. Only who is told that it is VMDK reads it so, whatever else
    /// is in it.
    var namesDescriptorType: Bool
    public var byteCount: Int64

    /// Holds what was found against what the sender said that it is (Image API v2, content inspection).
    ///
    /// - Parameter claimed: The image's `disk_format`.
    /// - Returns: the size to show as `virtual_size`, and why it is not to be trusted, if so.
    /// - Throws: ``FormatRefusal``
    public func judge(claimed: String, by rules: FormatRules) throws(FormatRefusal) -> FormatVerdict {
        let claimedFormat = ImageFormat(rawValue: claimed)
        let found = withoutHybrid
        var violations = found.flatMap(\.violations)
        if claimedFormat == .vmdk, namesDescriptorType {
            violations.append(.init(.descriptor, "a text that is a descriptor to who is told that it is VMDK"))
        }
        let (fatal, tolerated) = rules.divide(violations)
        guard fatal.isEmpty else {
            throw FormatRefusal(.unsafe, "Image failed safety checks", details: fatal.map(\.reason))
        }
        var verdict = FormatVerdict(virtualSize: nil, warnings: tolerated.map(\.reason))
        if claimedFormat == .vhd, let size = hasFixedDiskFooter, found.allSatisfy({ $0.format == .gpt }) {
            verdict.virtualSize = size
            return verdict
        }
        do {
            verdict.virtualSize = try match(found, claimed, claimedFormat)
        } catch {
            guard !rules.requiresMatch else { throw error }
            verdict.warnings.append(error.message)
        }
        return verdict
    }

    /// A CD made to boot from a stick as well is a CD: its partition table stands in what a CD leaves to others.
    private var withoutHybrid: [FormatFinding] {
        findings.contains { $0.format == .iso } ? findings.filter { $0.format != .gpt } : findings
    }

    private func match(
        _ found: [FormatFinding],
        _ claimed: String,
        _ claimedFormat: ImageFormat?
    ) throws(FormatRefusal) -> Int64? {
        guard found.count <= 1 else {
            throw FormatRefusal(.mismatch, "Multiple formats detected", details: found.map(\.format.rawValue))
        }
        if claimedFormat == .raw { return byteCount }
        guard let finding = found.first else {
            // Formats that nothing can recognize, as ami; ploop has several forms, and only one of them is known here.
            if claimedFormat == nil || claimedFormat == .ploop { return nil }
            throw mismatch(claimed, .raw)
        }
        guard finding.format == claimedFormat else { throw mismatch(claimed, finding.format) }
        return finding.virtualSize
    }

    private func mismatch(_ claimed: String, _ found: ImageFormat) -> FormatRefusal {
        FormatRefusal(.mismatch, "Image disk_format \(claimed) does not match stream data \(found.rawValue)")
    }
}

/// What the operator decided (`[image_format]`).
public struct FormatRules: Sendable, Equatable {
    /// `require_image_format_match`: whether data that is not what the sender says is refused.
    public var requiresMatch: Bool
    /// `gpt_safety_checks_nonfatal`: `mbr`, `gptmbr`.
    public var toleratedChecks: Set<String>

    public init(requiresMatch: Bool = true, toleratedChecks: Set<String> = []) {
        self.requiresMatch = requiresMatch
        self.toleratedChecks = toleratedChecks
    }

    func divide(_ violations: [SafetyViolation]) -> (fatal: [SafetyViolation], tolerated: [SafetyViolation]) {
        let isTolerated = { (violation: SafetyViolation) -> Bool in
            switch violation.check {
            case .mbr: toleratedChecks.contains("mbr")
            // The rules for a protective partition are part of those for the table.
            case .gptmbr: toleratedChecks.contains("mbr") || toleratedChecks.contains("gptmbr")
            case .banned, .backingFile, .dataFile, .version, .unknownFeatures, .descriptor, .size: false
            }
        }
        return (violations.filter { !isTolerated($0) }, violations.filter(isTolerated))
    }
}

/// What to record of data that is accepted.
public struct FormatVerdict: Sendable, Equatable {
    /// In bytes; `nil` when it is not known.
    public var virtualSize: Int64?
    /// For the log: what was let pass.
    public var warnings: [String] = []
}

/// Why data is not accepted.
public struct FormatRefusal: Error, Sendable, Equatable {
    public enum Code: Sendable {
        /// It could make whoever opens it read or write what it should not.
        case unsafe
        /// It is not what the sender says.
        case mismatch
    }

    public var code: Code
    /// Fit for the sender.
    public var message: String
    /// For the log.
    public var details: [String]

    init(_ code: Code, _ message: String, details: [String] = []) {
        self.code = code
        self.message = message
        self.details = details
    }
}

/// QEMU's copy-on-write format (QEMU docs/interop/qcow2). Its header can name other files to read from.
enum QCOW2 {
    private static let headerByteCount = 512
    private static let dataFileBit: UInt64 = 1 << 2
    /// Dirty, corrupt, external data file, compression type; what came later is not known to every reader.
    private static let knownFeatures: UInt64 = 0b1111

    @Sendable static func find(_ sample: StreamSample) -> FormatFinding? {
        let isCut = sample.head.count < headerByteCount
        let header = sample.head.padded(to: headerByteCount)
        guard header.starts(with: [0x51, 0x46, 0x49, 0xFB]),
            let version = header.big(UInt32.self, at: 4),
            let backingFileOffset = header.big(UInt64.self, at: 8),
            let virtualSize = header.big(UInt64.self, at: 24),
            let features = header.big(UInt64.self, at: 72)
        else { return nil }
        var violations: [SafetyViolation] = []
        if backingFileOffset != 0 { violations.append(.init(.backingFile, "a backing file")) }
        switch version {
        // Version 2 ends its header before the features.
        case 2: break
        // No reader takes the mere name, with nothing behind, for a version.
        case 0 where isCut: return nil
        case 3:
            if features & dataFileBit != 0 { violations.append(.init(.dataFile, "an external data file")) }
            if features & ~knownFeatures != 0 {
                let bits = String(features & ~knownFeatures, radix: 16)
                violations.append(.init(.unknownFeatures, "unknown incompatible features 0x\(bits)"))
            }
        default: violations.append(.init(.version, "version \(version)"))
        }
        return FormatFinding(.qcow2, virtualSize: virtualSize, violations: violations).orNothing(ifCut: isCut)
    }
}

/// QEMU's former enhanced format, which QEMU still opens; nobody else does, so nobody checks what it names.
enum QED {
    @Sendable static func find(_ sample: StreamSample) -> FormatFinding? {
        guard sample.head.starts(with: "QED\0") else { return nil }
        return FormatFinding(.qed, violations: [.init(.banned, "QED is not accepted")])
    }
}

/// A boot sector with a partition table: GPT's protective one (UEFI 2.10 §5.2.3), or a plain MBR.
enum PartitionTable {
    private static let sectorByteCount = 512
    private static let gptType: UInt8 = 0xEE

    private struct Entry {
        var bootFlag: UInt8
        var type: UInt8
        var start: [UInt8]
        var startSector: UInt32
    }

    @Sendable static func find(_ sample: StreamSample) -> FormatFinding? {
        guard let sector = sample.head.slice(0, sectorByteCount), sector.starts(with: [0x55, 0xAA], at: 510),
            !isFAT(sector)
        else { return nil }
        return FormatFinding(.gpt, virtualSize: UInt64(sample.byteCount), violations: violations(entries(sector)))
    }

    /// A FAT file system ends its boot sector alike: two tables and the media byte of a fixed disk.
    private static func isFAT(_ sector: ByteView) -> Bool { sector.byte(0x10) == 2 && sector.byte(0x15) == 0xF8 }

    private static func entries(_ sector: ByteView) -> [Entry] {
        (0..<4).compactMap { slot in
            guard let entry = sector.slice(446 + slot * 16, 16), let flag = entry.byte(0), let type = entry.byte(4),
                let start = entry.slice(1, 3), let sector = entry.little(UInt32.self, at: 8)
            else { return nil }
            return Entry(bootFlag: flag, type: type, start: start.array, startSector: sector)
        }
    }

    private static func violations(_ entries: [Entry]) -> [SafetyViolation] {
        guard entries.allSatisfy({ $0.bootFlag == 0 || $0.bootFlag == 0x80 }) else {
            return [.init(.mbr, "a partition with an impossible boot flag")]
        }
        let used = entries.filter { $0.type != 0 }
        guard !used.isEmpty else { return [.init(.mbr, "a partition table without partitions")] }
        guard used.contains(where: { $0.type == gptType }) else { return [] }
        guard used.count == 1, entries[0].type == gptType else {
            return [.init(.gptmbr, "a protective partition beside others")]
        }
        guard entries[0].start == [0, 2, 0], entries[0].startSector == 1 else {
            return [.init(.gptmbr, "a protective partition that begins elsewhere")]
        }
        return []
    }
}

internal import Glibc

/// Time that passed, and CPU time of this process.
struct Usage {
    private let start = ContinuousClock.now
    private let cpuSecondsAtStart = Self.cpuSeconds

    /// `{"seconds": …, "cpu_seconds": …}`
    var line: String {
        let elapsed = ContinuousClock.now - start
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        return "{\"seconds\": \(seconds), \"cpu_seconds\": \(Self.cpuSeconds - cpuSecondsAtStart)}"
    }

    private static var cpuSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// Bytes that nothing can compress or know, in batches that no cache holds together.
struct RandomBatches {
    private let batches: [[UInt8]]

    init() {
        batches = (0..<64).map { _ in
            [UInt8](unsafeUninitializedCapacity: Parts.batchByteCount) { bytes, count in
                if let base = bytes.baseAddress { arc4random_buf(base, bytes.count) }
                count = bytes.count
            }
        }
    }

    /// Gives so many bytes, batch by batch, and where each batch lies.
    func forEach(upTo byteCount: Int, _ body: (UnsafeRawBufferPointer, _ offset: Int) throws -> Void) rethrows {
        var offset = 0
        while offset < byteCount {
            let batch = batches[offset / Parts.batchByteCount % batches.count]
            try batch.withUnsafeBytes { bytes in
                try body(UnsafeRawBufferPointer(rebasing: bytes.prefix(byteCount - offset)), offset)
            }
            offset += Parts.batchByteCount
        }
    }
}

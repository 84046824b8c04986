internal import Glibc

/// What the processes of a service have used so far: the given ones and all their descendants.
struct ProcessUsage {
    /// User and system time in seconds, with that of children that ended and were waited for, so that a worker that is
    /// replaced in the middle of a run is not lost. Read from the processes' CPU clocks, which count nanoseconds;
    /// `/proc/pid/stat` has the same in ticks of 10 ms, too coarse for short runs, and is used for the ended children.
    var cpuSeconds: Double
    var processes: [Int]

    /// - Throws: if one of `roots` does not exist (any more).
    static func of(_ roots: [Int]) throws -> ProcessUsage {
        let all = table()
        var children: [Int: [Int]] = [:]
        for (process, entry) in all { children[entry.parent, default: []].append(process) }
        var seen: Set<Int> = []
        var waiting = roots
        var ownSeconds = 0.0
        var ticks = 0
        while let process = waiting.popLast() {
            guard let entry = all[process] else { throw BenchError("There is no process \(process) (--pid).") }
            guard seen.insert(process).inserted else { continue }
            if let seconds = clockSeconds(of: process) {
                ownSeconds += seconds
            } else {
                ticks += entry.ownTicks
            }
            ticks += entry.childTicks
            waiting += children[process] ?? []
        }
        return ProcessUsage(
            cpuSeconds: ownSeconds + Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK))),
            processes: seen.sorted()
        )
    }

    /// CPU seconds of this program: user and system time.
    static func ownCPUSeconds() -> Double {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    /// Sum of the resident sets in bytes. Pages that processes share are counted once for each of them.
    static func residentByteCount(of processes: [Int]) -> Int {
        let pageByteCount = sysconf(Int32(_SC_PAGESIZE))
        return processes.reduce(0) { sum, process in
            let fields = TextFile.read("/proc/\(process)/statm")?.split(separator: " ") ?? []
            return sum + (fields.count > 1 ? (Int(fields[1]) ?? 0) * pageByteCount : 0)
        }
    }

    /// Sum of the largest resident sets since each process started, in bytes (`VmHWM`).
    static func peakByteCount(of processes: [Int]) -> Int {
        processes.reduce(0) { $0 + kibibytes("VmHWM:", in: "/proc/\($1)/status") * 1024 }
    }

    /// Sum of the proportional sets in bytes: a page that n processes share counts 1/n for each. The fair figure for
    /// a service of forked workers.
    /// - Returns: `nil` if it may not be read (another user's process).
    static func proportionalByteCount(of processes: [Int]) -> Int? {
        let sum = processes.reduce(0) { $0 + kibibytes("Pss:", in: "/proc/\($1)/smaps_rollup") * 1024 }
        return sum > 0 ? sum : nil
    }

    private static func kibibytes(_ name: String, in path: String) -> Int {
        guard let text = TextFile.read(path) else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        let words = line?.split { $0 == " " || $0 == "\t" } ?? []
        return words.count > 1 ? Int(words[1]) ?? 0 : 0
    }

    /// - Returns: `nil` if the process has just ended.
    private static func clockSeconds(of process: Int) -> Double? {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(pid_t(process), &clock) == 0, clock_gettime(clock, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private struct Entry {
        var parent: Int
        var ownTicks: Int
        var childTicks: Int
    }

    /// Every process of the machine (proc(5), `/proc/pid/stat`).
    private static func table() -> [Int: Entry] {
        var result: [Int: Entry] = [:]
        guard let directory = opendir("/proc") else { return result }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let process = Int(name), let text = TextFile.read("/proc/\(process)/stat"),
                let bracket = text.lastIndex(of: ")")
            else { continue }
            // The name before the bracket may hold anything. Behind it: state, parent, …, and the four times.
            let fields = text[text.index(after: bracket)...].split(separator: " ")
            guard fields.count > 14, let parent = Int(fields[1]) else { continue }
            let times = fields[11...14].map { Int($0) ?? 0 }
            result[process] = Entry(parent: parent, ownTicks: times[0] + times[1], childTicks: times[2] + times[3])
        }
        return result
    }
}

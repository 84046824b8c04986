internal import Glibc

/// What the kernel knows of this process, under the names that Prometheus' client libraries agree on. What `/proc` does not
/// tell is left out.
enum ProcessMetrics {
    static func write(to text: inout PrometheusText) {
        let status = status()
        add("process_cpu_seconds_total", "counter", "CPU time spent, user and system.", status?.cpuSeconds, to: &text)
        add("process_open_fds", "gauge", "File descriptors that are open.", openDescriptors(), to: &text)
        add("process_resident_memory_bytes", "gauge", "Memory in RAM.", residentBytes(), to: &text)
        add("process_start_time_seconds", "gauge", "Start, in seconds since 1970.", status?.startSeconds, to: &text)
    }

    private static func add(
        _ name: String,
        _ kind: String,
        _ help: String,
        _ value: Double?,
        to text: inout PrometheusText
    ) {
        guard let value else { return }
        text.head(name, kind, help: help)
        text.sample(name, "", value)
    }

    /// From `/proc/self/stat` (proc(5)): fields 14 and 15 are CPU ticks, 22 is the start in ticks since boot.
    private static func status() -> (cpuSeconds: Double, startSeconds: Double?)? {
        guard let stat = contents("/proc/self/stat"), let nameEnd = stat.lastIndex(of: ")") else { return nil }
        // The second field, a name in parentheses, may hold anything; the third follows it.
        let fields = stat[stat.index(after: nameEnd)...].split(separator: " ")
        guard fields.count > 19, let user = Double(fields[11]), let system = Double(fields[12]),
            let start = Double(fields[19])
        else { return nil }
        let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
        return ((user + system) / ticksPerSecond, bootSeconds().map { $0 + start / ticksPerSecond })
    }

    private static func bootSeconds() -> Double? {
        contents("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
            .flatMap { Double($0.dropFirst("btime ".count)) }
    }

    private static func residentBytes() -> Double? {
        guard let fields = contents("/proc/self/statm")?.split(separator: " "), fields.count > 1,
            let pages = Double(fields[1])
        else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func openDescriptors() -> Double? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Not counted: ".", ".." and the descriptor that reads this directory.
        return Double(count - 3)
    }

    /// The files of `/proc` that are read here are short, apart from `/proc/stat` on large machines.
    private static func contents(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count > 0 {
                bytes.append(contentsOf: buffer[..<count])
            } else if count == 0 || errno != EINTR {
                return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
            }
        }
    }
}

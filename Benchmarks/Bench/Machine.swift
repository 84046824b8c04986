internal import Glibc

/// The machine that both sides run on. A figure without it means little.
struct Machine: Encodable {
    var cores: Int
    var model: String
    var kernel: String
    /// Over the last 1, 5 and 15 minutes.
    var loadAverage: [Double]

    static func current() -> Machine {
        let information = TextFile.read("/proc/cpuinfo") ?? ""
        let model = information.split(separator: "\n").first { $0.hasPrefix("model name") }
        let load = TextFile.read("/proc/loadavg") ?? ""
        let kernel = TextFile.read("/proc/sys/kernel/osrelease") ?? "unknown"
        return Machine(
            cores: sysconf(Int32(_SC_NPROCESSORS_ONLN)),
            model: model.flatMap { $0.split(separator: ":").last }.map { String($0.drop { $0 == " " }) } ?? "unknown",
            kernel: kernel.split(separator: "\n").first.map(String.init) ?? "unknown",
            loadAverage: load.split(separator: " ").prefix(3).compactMap { Double($0) }
        )
    }

    var line: String {
        let load = loadAverage.map { Figure.fixed($0, 2) }.joined(separator: " ")
        return "machine: \(cores) cores, \(model), load \(load), Linux \(kernel)"
    }

    /// Something else is running, so the figures will be too low.
    var isBusy: Bool { (loadAverage.first ?? 0) > 0.5 * Double(cores) }
}

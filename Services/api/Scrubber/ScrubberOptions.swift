import NodeOptions
import ServiceKit

/// The options of glance-scrubber, in the order in which they are documented.
enum ScrubberOptions {
    static let wakeupTime = ConfigurationOption.integer(
        "DEFAULT",
        "wakeup_time",
        default: 300,
        in: 0...Int(Int32.max),
        help: "With --daemon: seconds between two rounds."
    )
    static let poolSize = ConfigurationOption.integer(
        "DEFAULT",
        "scrub_pool_size",
        default: 1,
        in: 1...256,
        help: "How many images' data is removed at once."
    )
    static let verifyRate = ConfigurationOption.byteCount(
        "scrubber",
        "verify_rate",
        default: 33_554_432,
        help:
            "Most bytes that verify reads in a second, on average, so that it leaves the stores to others; B, KB, MB, GB "
            + "and TB are powers of 1024. At least 64 KB; 0 for any number."
    )
    static let verifyInterval = ConfigurationOption.integer(
        "scrubber",
        "verify_interval",
        default: 604_800,
        in: 0...Int(Int32.max),
        help: "Seconds before data that was verified is verified again."
    )
    static let metricsFile = ConfigurationOption.optionalString(
        "scrubber",
        "metrics_file",
        help:
            "File to write metrics to after each round, in Prometheus' text format, as node_exporter's textfile collector "
            + "reads them (*.prom). Each command that runs beside others needs its own."
    )

    static let all: [OptionDescription] =
        LogOptions.all + [
            OptionDescription(wakeupTime), OptionDescription(poolSize), OptionDescription(verifyRate),
            OptionDescription(verifyInterval), OptionDescription(metricsFile),
        ] + RegistryHopOptions.all + StoreOptions.stores

    /// In bytes a second; `nil` for any number.
    static func verifyRate(in configuration: ServiceConfiguration) throws -> Int64? {
        let rate = try configuration.value(of: verifyRate)
        guard rate != 0 else { return nil }
        guard rate >= 65_536 else {
            throw configuration.refusal(of: verifyRate, because: "at least 64 KB a second are expected, or 0")
        }
        return rate
    }
}

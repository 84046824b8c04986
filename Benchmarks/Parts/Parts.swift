internal import ArgumentParser

/// What an upload consists of, one part at a time and alone, by the very modules that do it in the service. Each prints the
/// seconds and CPU seconds of this process, so that the sum of the parts can be held against the whole.
@main
struct Parts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "glance-parts",
        abstract: "Measures the parts of an upload alone: digests, writing, and taking bytes from a socket.",
        subcommands: [DigestPart.self, WritePart.self, DrainPart.self]
    )

    /// As long as the service's batches.
    static let batchByteCount = 512 << 10
}

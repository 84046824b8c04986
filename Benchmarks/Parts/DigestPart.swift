internal import ArgumentParser
internal import Digests

/// One digest of so many bytes.
struct DigestPart: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "digest", abstract: "Computes one digest.")

    @Argument(help: "md5, sha512, …")
    var algorithm: String
    @Argument(help: "Bytes.")
    var byteCount: Int

    func run() throws {
        guard let algorithm = DigestAlgorithm(rawValue: algorithm) else {
            throw ValidationError("There is no digest \(self.algorithm).")
        }
        let batches = RandomBatches()
        let usage = Usage()
        let stream = DigestStream(algorithm)
        batches.forEach(upTo: byteCount) { bytes, _ in stream.update(bytes) }
        _ = stream.finish()
        print(usage.line)
    }
}

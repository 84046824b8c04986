internal import Digests
internal import Logging
internal import RegistryContract
internal import StoreLayer

/// Reads one copy of an image's data, and says what it is worth.
struct CopyReading: Sendable {
    let catalogue: StoreCatalogue
    let threads: WorkerThreads
    let logger: Logger

    /// - Parameter admit: Is told how many bytes were read; throws to stop.
    /// - Throws: what `admit` throws.
    func result(
        of copy: StoredCopy,
        admit: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> VerificationResult {
        let first = try await read(copy, admit)
        guard first == .digest else { return first }
        // What was read may have been damaged on its way here; a mark has consequences.
        let second = try await read(copy, admit)
        if second == .sound {
            logger.warning("Data was read differently the second time, and right", metadata: metadata(of: copy))
        }
        return second
    }

    private func read(
        _ copy: StoredCopy,
        _ admit: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> VerificationResult {
        do {
            guard let store = catalogue.store(holding: StoreLocation(url: copy.url, store: copy.store)) else {
                throw StoreError(.unavailable, "This node has not the store that holds the data")
            }
            let blob = try await store.open(copy.url, range: nil)
            defer { blob.close() }
            guard blob.totalByteCount == copy.size else { return .size }
            let algorithm = copy.hashAlgorithm.flatMap(DigestAlgorithm.init(rawValue:))
            let digests = try await DataDigests.of(
                AdmittedBlob(base: blob, admit: admit),
                multihash: algorithm ?? .md5,
                on: threads
            )
            return Self.isSound(digests, copy, knowsAlgorithm: algorithm != nil) ? .sound : .digest
        } catch let error as StoreError {
            switch error.code {
            case .notFound: return .missing
            case .sizeMismatch: return .size
            case .alreadyExists, .digestMismatch, .tooLarge, .full, .writeDenied, .addingDisabled, .forbidden, .inUse,
                .unavailable, .timedOut, .unsupported, .superseded, .invalidLocation, .failed:
                logger.warning(
                    "Data could not be read, which says nothing about it",
                    metadata: metadata(of: copy).merging(["error": "\(error)"]) { $1 }
                )
                return .unread
            }
        }
    }

    private static func isSound(_ digests: DataDigests, _ copy: StoredCopy, knowsAlgorithm: Bool) -> Bool {
        if let checksum = copy.checksum, checksum.lowercased() != digests.checksum.description { return false }
        guard knowsAlgorithm, let value = copy.hashValue else { return true }
        return value.lowercased() == digests.multihash.description
    }

    func metadata(of copy: StoredCopy) -> Logger.Metadata {
        ["image.id": "\(copy.image)", "store": "\(copy.store ?? "")"]
    }
}

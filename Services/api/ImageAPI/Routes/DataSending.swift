internal import CoreMetrics
internal import Digests
internal import Hummingbird
internal import ImageModel
internal import Logging
internal import ServiceKit
internal import StoreLayer

/// Opened data on its way to a client: by the system alone where it is a file and the connection is a plain one, otherwise
/// in chunks. What throws aborts the connection, so that data that comes up short is never taken for complete.
struct DataSending: Sendable {
    private let opened: ImageDownload.Opened
    private let image: ImageID
    private let connection: ConnectionContext
    private let logger: Logger
    private let expected: ExpectedDigest?
    private let threads: WorkerThreads

    /// One read of data that passes through this process, two or three of which are in memory at a time.
    static let chunkByteCount = 512 << 10
    /// One part of a file that the system sends; the next one is brought into its memory meanwhile.
    static let partByteCount: Int64 = 8 << 20

    init(_ opened: ImageDownload.Opened, of image: Image, download: ImageDownload, request: APIRequest) {
        self.opened = opened
        self.image = image.id
        connection = request.connection
        logger = request.logger
        threads = download.digestThreads
        let isWhole = opened.blob.range == 0..<opened.blob.totalByteCount
        expected = isWhole && download.verifies ? image.expectedDigest : nil
    }

    func run(_ writer: inout any ResponseBodyWriter) async throws {
        let blob = opened.blob
        defer { blob.close() }
        do {
            if let expected {
                try await write(blob.chunks(of: Self.chunkByteCount), if: expected, to: &writer)
            } else if let file = blob.localFile, await connection.sendsFiles() {
                try await send(file)
            } else {
                try await write(blob.chunks(of: Self.chunkByteCount), to: &writer)
            }
        } catch {
            report(error)
            throw error
        }
        try await writer.finish(nil)
    }

    private func write(
        _ chunks: some ChunkSequence,
        if expected: ExpectedDigest,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        try await write(VerifiedChunks(chunks, expected: expected, threads: threads), to: &writer)
    }

    private func write(_ chunks: some ChunkSequence, to writer: inout any ResponseBodyWriter) async throws {
        for try await chunk in chunks {
            let byteCount = chunk.readableBytes
            try await writer.write(chunk)
            try await connection.takeWrites()
            Self.count(byteCount, by: "copy")
        }
    }

    private func send(_ file: LocalFile) async throws {
        let duplicate = try SentFile(duplicating: file.descriptor)
        var part = file.part(at: file.range.lowerBound)
        try await file.load(part)
        while !part.isEmpty {
            let next = file.part(at: part.upperBound)
            async let isLoaded: Void = file.load(next)
            try await connection.send(duplicate, part)
            Self.count(part.count, by: "sendfile")
            try await isLoaded
            part = next
        }
    }

    private static func count(_ byteCount: Int, by path: String) {
        Counter(label: "image_bytes_sent", dimensions: [("by", path)]).increment(by: byteCount)
    }

    /// What broke off is told where the store is to blame; a client may go at any time.
    private func report(_ error: any Error) {
        let level: Logger.Level
        switch error {
        case is DigestMismatch:
            Counter(label: "image_data_mismatches", dimensions: [("store", opened.store)]).increment()
            level = .critical
        case is StoreError: level = .error
        default: level = .debug
        }
        logger.log(
            level: level,
            "A download broke off",
            metadata: ["image.id": "\(image)", "store": "\(opened.store)", "error": "\(error)"]
        )
    }
}

extension LocalFile {
    fileprivate func part(at start: Int64) -> Range<Int64> {
        start..<min(start + DataSending.partByteCount, range.upperBound)
    }
}

extension Image {
    /// The digest that was recorded of the data, the multihash before the checksum; `nil` where none was, or by an algorithm
    /// that this service does not know.
    fileprivate var expectedDigest: ExpectedDigest? {
        if let hashAlgorithm, let hashValue, let algorithm = DigestAlgorithm(rawValue: hashAlgorithm) {
            return ExpectedDigest(algorithm, hexadecimal: hashValue)
        }
        return checksum.map { ExpectedDigest(.md5, hexadecimal: $0) }
    }
}

internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// The images of one service that a benchmark works on: makes them, and removes everything that was made.
struct Catalogue {
    let service: ServiceUnderTest
    let requests: ImageRequests
    let generator: LoadGenerator
    let timeout: TimeAmount
    let transferTimeout: TimeAmount
    /// The images that show and list find, by their numbers.
    private(set) var images: [String] = []
    /// The image that downloads read.
    private(set) var filledImage: String?

    private static let connections = 4
    /// However slow the service, making or removing images ends after so long.
    private static let bound = TimeAmount.minutes(20)

    init(
        service: ServiceUnderTest,
        mark: String,
        generator: LoadGenerator,
        timeout: TimeAmount,
        transferTimeout: TimeAmount
    ) {
        self.service = service
        self.requests = ImageRequests(service: service, mark: mark)
        self.generator = generator
        self.timeout = timeout
        self.transferTimeout = transferTimeout
    }

    /// - Throws: if the service does not answer, or refuses the caller.
    func probe() throws {
        let tally = try run([requests.list("limit=1")], "does not answer a list of images")
        guard tally.succeeded == 1 else { throw failure("does not answer a list of images", tally) }
    }

    mutating func fill(count: Int) throws { images = try make(count: count) }

    mutating func fillImage(block: ByteBuffer, byteCount: Int64) throws {
        let image = try make(count: 1)[0]
        let upload = requests.upload(image, block: block, byteCount: byteCount)
        _ = try run([upload], "does not take an image's data", timeout: transferTimeout)
        filledImage = image
    }

    /// Images without data.
    func make(count: Int) throws -> [String] {
        let images = (0..<count).map { _ in ImageIdentifier.random() }
        for image in images { service.ledger.enter(image) }
        let creations = images.enumerated().map { requests.create($1, number: $0) }
        _ = try run(creations, "does not make images")
        return images
    }

    /// Creations without end, each entered in the ledger first.
    func creations(for duration: TimeAmount, upTo limit: Int) -> Load {
        let position = Load.Position()
        let requests = requests
        return Load(
            next: {
                let number = position.advance()
                guard number < limit else { return nil }
                let image = ImageIdentifier.random()
                requests.service.ledger.enter(image)
                return requests.create(image, number: number)
            },
            duration: duration,
            timeout: timeout
        )
    }

    /// How many images one answer to this request holds.
    func imageCount(inAnswerTo request: ServiceRequest) throws -> Int {
        var request = request
        request.keepsAnswer = true
        let count = Mutex(0)
        // Every image has this member, and the name of no other member or value contains it.
        let load = Load.once([request], within: Self.bound, timeout: timeout) { _, outcome in
            let found = outcome.text.split(separator: "\"created_at\"", omittingEmptySubsequences: false).count - 1
            count.withLock { $0 = found }
        }
        let tally = try generator.run(load, connections: 1, on: service).tally
        try Interruption.check()
        guard tally.succeeded == 1 else { throw failure("does not answer GET \(request.head.uri)", tally) }
        return count.withLock { $0 }
    }

    /// Removes what was made since the catalogue was filled.
    func removeLeavings() throws {
        try remove(service.ledger.all.subtracting(images + [filledImage].compactMap { $0 }))
    }

    /// Removes everything that was made.
    /// - Throws: naming what is left, if anything is.
    func removeAll() throws {
        try remove(service.ledger.all)
        let left = service.ledger.all.count
        guard left == 0 else {
            throw BenchError(
                "\(left) images could not be removed from \(service.name) (\(service.url)); their tag is \(requests.mark)."
            )
        }
        // An image whose creation timed out may have been made after its deletion was tried.
        let found = try imageCount(inAnswerTo: requests.list("limit=1000&tag=\(requests.mark)"))
        guard found == 0 else {
            throw BenchError("\(service.name) (\(service.url)) still has \(found) images, tagged \(requests.mark).")
        }
    }

    /// Deletes, and once more what would not go at first. An image that was never made counts as removed.
    private func remove(_ images: Set<String>) throws {
        for _ in 0..<2 {
            let left = images.intersection(service.ledger.all)
            guard !left.isEmpty, !Interruption.isRequested else { return }
            let ledger = service.ledger
            let load = Load.once(left.map(requests.delete), within: Self.bound, timeout: timeout) { request, outcome in
                if let image = request.image, outcome.status == 204 || outcome.status == 404 { ledger.strike(image) }
            }
            _ = try generator.run(load, connections: min(Self.connections, left.count), on: service)
        }
    }

    private func run(_ all: [ServiceRequest], _ complaint: String, timeout: TimeAmount? = nil) throws -> Tally {
        let load = Load.once(all, within: Self.bound, timeout: timeout ?? self.timeout)
        let tally = try generator.run(load, connections: min(Self.connections, all.count), on: service).tally
        try Interruption.check()
        guard tally.succeeded == all.count else { throw failure(complaint, tally) }
        return tally
    }

    private func failure(_ complaint: String, _ tally: Tally) -> BenchError {
        let cause = tally.errors.isEmpty ? "too slow" : tally.errorSentence
        return BenchError("\(service.name) at \(service.url) \(complaint): \(cause).")
    }
}

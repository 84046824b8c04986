import Digests
import Glibc
import ImageFormats
import NIOCore
import StoreFile
import StoreLayer
import Testing

/// Data that comes in several requests and parts, into files.
@Suite("Resumable uploads")
struct ResumableUploadTests {
    private static let threads = WorkerThreads(count: 2)

    private struct Cut: Error {}

    private func upload(
        _ data: any PartialData,
        received: ByteRanges = ByteRanges(),
        readBack: Counter = Counter()
    ) -> ResumableUpload {
        ResumableUpload(data, received: received, multihash: .sha512, threads: Self.threads) { readBack.add(Int($0)) }
    }

    private func append(
        _ bytes: Chunk,
        to part: Range<Int64>,
        of upload: ResumableUpload,
        cutAt count: Int? = nil
    ) async throws {
        let whole = Body(count.flatMap { bytes.getSlice(at: bytes.readerIndex, length: $0) } ?? bytes)
        let body = Body { index in
            if let chunk = try await whole.chunk(index) { return chunk }
            if count != nil { throw Cut() }
            return nil
        }
        do {
            try await upload.append(body, to: part) {}
        } catch is Cut {}
    }

    private func expect(
        _ bytes: Chunk,
        _ store: FileStore,
        _ location: IntendedLocation,
        _ upload: ResumableUpload,
        _ comment: Comment
    ) async throws {
        let done = try await upload.finish(
            byteCount: Int64(bytes.readableBytes),
            expected: ExpectedDigests(),
            accept: { $0.byteCount },
            mayStillPublish: { true }
        )
        try await store.confirm(location)
        #expect(done.stored.byteCount == Int64(bytes.readableBytes), comment)
        #expect(done.checksum == digest(bytes, .md5), comment)
        #expect(done.multihash == digest(bytes, .sha512), comment)
        #expect(done.virtualSize == Int64(bytes.readableBytes), "the inspector saw every byte once: \(comment)")
        #expect(try await store.get(location.url) == bytes, comment)
    }

    private func digest(_ bytes: Chunk, _ algorithm: DigestAlgorithm) -> Digest {
        Digest.of(Array(bytes.readableBytesView), algorithm)
    }

    @Test("an upload that is cut anywhere goes on there to the same digests, in this process and in the next")
    func cuts() async throws {
        let bytes = pattern(2_000_000)
        let all = Int64(bytes.readableBytes)
        let cuts = [1, 2, 70_001, 524_287, 524_288, 524_289, 1_000_000, 1_048_576, 1_999_999]
        for cut in cuts {
            for isRestarted in [false, true] {
                try await withFileStore { store, directory in
                    let location = try await store.intend("object", attempt: "1", size: all)
                    let readBack = Counter()
                    var upload: ResumableUpload? = upload(
                        try await store.beginPartial(location, size: nil),
                        readBack: readBack
                    )
                    try await append(bytes, to: 0..<all, of: upload!, cutAt: cut)
                    let received = try await upload!.sync()
                    #expect(received.ranges == [0..<Int64(cut)], "nothing that came is lost")
                    #expect(directory.names == ["images/.uploads/object.1"])
                    if isRestarted {
                        upload = nil
                        upload = self.upload(
                            try await store.resumed(location),
                            received: received,
                            readBack: readBack
                        )
                    }
                    try await append(
                        try #require(bytes.getSlice(at: bytes.readerIndex + cut, length: Int(all) - cut)),
                        to: 0..<all,
                        of: upload!
                    )
                    try await expect(bytes, store, location, upload!, "cut at \(cut), restarted \(isRestarted)")
                    #expect(isRestarted ? readBack.value >= cut : readBack.value == 0, "\(readBack.value) at \(cut)")
                    #expect(readBack.value <= Int(all))
                }
            }
        }
    }

    @Test("parts that come in any order, at once and cut, become the data", arguments: 0..<8)
    func parts(_ round: Int) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("parts of an upload, round \(round), seed \(seed)")
        var random = SeededRandom(seed)
        let bytes = pattern(Int.random(in: 1_000_000...3_000_000, using: &random), seed: round)
        let all = Int64(bytes.readableBytes)
        let ends = Set((0..<6).map { _ in Int64.random(in: 1..<all, using: &random) }).sorted() + [all]
        let parts = zip([0] + ends, ends).map { $0..<$1 }.shuffled(using: &random)
        let cuts = parts.map { Int.random(in: 0..<$0.count, using: &random) }
        try await withFileStore { store, _ in
            let location = try await store.intend("object", attempt: "1", size: all)
            let readBack = Counter()
            let upload = upload(try await store.beginPartial(location, size: nil), readBack: readBack)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (part, cut) in zip(parts, cuts) {
                    let slice = try #require(
                        bytes.getSlice(at: bytes.readerIndex + Int(part.lowerBound), length: part.count)
                    )
                    group.addTask {
                        try await append(slice, to: part, of: upload, cutAt: cut)
                        let rest = try #require(slice.getSlice(at: slice.readerIndex + cut, length: part.count - cut))
                        try await append(rest, to: part, of: upload)
                    }
                    if Bool.random(using: &random) { try await group.next() }
                }
                try await group.waitForAll()
            }
            #expect(upload.received.ranges == [0..<all], "seed \(seed)")
            try await expect(bytes, store, location, upload, "seed \(seed)")
            #expect(readBack.value <= Int(all), "nothing is read twice, seed \(seed)")
        }
    }

    @Test("bytes that are not those of their checksum are as if they had not come")
    func checksum() async throws {
        let bytes = pattern(1_500_000)
        let all = Int64(bytes.readableBytes)
        try await withFileStore { store, _ in
            let location = try await store.intend("object", attempt: "1", size: all)
            let upload = upload(try await store.beginPartial(location, size: nil))
            let wrong = pattern(1_200_000, seed: 9)
            let error = await #expect(throws: StoreError.self) {
                try await upload.append(
                    Body(wrong),
                    to: 0..<all,
                    checksum: (.sha1, digest(bytes, .sha1)),
                    checkpoint: { Issue.record("recorded before it is known") }
                )
            }
            #expect(error?.code == .digestMismatch)
            #expect(upload.received.ranges == [])
            let half = try #require(bytes.getSlice(at: bytes.readerIndex, length: 700_000))
            try await upload.append(Body(half), to: 0..<all, checksum: (.sha1, digest(half, .sha1))) {}
            #expect(upload.received.ranges == [0..<700_000])
            let rest = try #require(bytes.getSlice(at: bytes.readerIndex + 700_000, length: 800_000))
            try await upload.append(Body(rest), to: 0..<all) {}
            try await expect(bytes, store, location, upload, "checked")
        }
    }

    @Test("more than a part has is refused, and its neighbour is not written over")
    func tooLong() async throws {
        try await withFileStore { store, _ in
            let bytes = pattern(20)
            let location = try await store.intend("object", attempt: "1", size: 20)
            let upload = upload(try await store.beginPartial(location, size: nil))
            let end = try #require(bytes.getSlice(at: bytes.readerIndex + 10, length: 10))
            try await append(end, to: 10..<20, of: upload)
            let error = await #expect(throws: StoreError.self) { try await append(bytes, to: 0..<10, of: upload) }
            #expect(error?.code == .tooLarge)
            #expect(upload.received.ranges == [10..<20])
            try await append(try #require(bytes.getSlice(at: bytes.readerIndex, length: 10)), to: 0..<10, of: upload)
            try await expect(bytes, store, location, upload, "after a refusal")
        }
    }

    @Test("other data than expected, and refused data, are not published; late expectations are met by reading again")
    func refusals() async throws {
        try await withFileStore { store, directory in
            let bytes = pattern(600_000)
            let location = try await store.intend("object", attempt: "1", size: 600_000)
            let upload = upload(try await store.beginPartial(location, size: nil))
            try await append(bytes, to: 0..<600_000, of: upload)
            func finish(_ algorithm: DigestAlgorithm, _ digest: Digest, isAccepted: Bool = true) async throws {
                var expected = ExpectedDigests()
                try expected.expect(digest, algorithm)
                _ = try await upload.finish(
                    byteCount: 600_000,
                    expected: expected,
                    accept: { _ in
                        if !isAccepted { throw Cut() }
                        return nil
                    },
                    mayStillPublish: { true }
                )
            }
            for algorithm in [DigestAlgorithm.md5, .sha256, .sha3_256] {
                let error = await #expect(throws: StoreError.self) {
                    try await finish(algorithm, digest(pattern(5), algorithm))
                }
                #expect(error?.code == .digestMismatch)
            }
            await #expect(throws: Cut.self) {
                try await finish(.sha256, digest(bytes, .sha256), isAccepted: false)
            }
            #expect(directory.names == ["images/.uploads/object.1"])
            try await finish(.sha256, digest(bytes, .sha256))
            #expect(directory.names == ["images/.uploads/object.1", "images/object"])
        }
    }

    @Test("publishing is done again after a failure or a restart, and answers the same")
    func again() async throws {
        try await withFileStore { store, directory in
            let bytes = pattern(600_000)
            let location = try await store.intend("object", attempt: "1", size: 600_000)
            var upload: ResumableUpload? = upload(try await store.beginPartial(location, size: nil))
            try await append(bytes, to: 0..<600_000, of: upload!)
            func finish(_ upload: ResumableUpload, isHeld: Bool = true) async throws -> UploadedData {
                try await upload.finish(
                    byteCount: 600_000,
                    expected: ExpectedDigests(),
                    accept: nil,
                    mayStillPublish: { isHeld }
                )
            }
            let error = await #expect(throws: StoreError.self) { _ = try await finish(upload!, isHeld: false) }
            #expect(error?.code == .superseded)
            let first = try await finish(upload!)
            #expect(try await finish(upload!) == first)
            upload = nil
            let resumed = self.upload(try await store.resumed(location), received: ByteRanges([0..<600_000]))
            #expect(try await finish(resumed) == first, "the identity is recorded perhaps, and must stay")
            // Published data can be taken back while it is open here.
            try await store.discard(location)
            #expect(directory.names == [])
        }
    }

    @Test("nothing is written to what is published, here or by whoever opens it")
    func sealed() async throws {
        try await withFileStore { store, _ in
            let bytes = pattern(600_000)
            let location = try await store.intend("object", attempt: "1", size: 600_000)
            let first = try await store.beginPartial(location, size: nil)
            try await append(bytes, to: 0..<600_000, of: upload(first))
            // A part that came into being behind the others while these were put together.
            func expectRefusal(_ data: any PartialData, _ comment: Comment) async {
                let error = await #expect(throws: StoreError.self, comment) {
                    try await data.write(pattern(10), at: 600_000)
                }
                #expect(error?.code == .inUse, comment)
            }
            let unheld = await #expect(throws: StoreError.self) {
                _ = try await first.publish(byteCount: 600_000, mayStillPublish: { false })
            }
            #expect(unheld?.code == .superseded)
            await expectRefusal(first, "it was begun")
            let locked = await #expect(throws: StoreError.self) { _ = try await store.resumePartial(location) }
            #expect(locked?.code == .inUse, "what could not be published has its owner still")
            let published = try await first.publish(byteCount: 600_000, mayStillPublish: { true })
            await expectRefusal(first, "it is published")
            // Other processes may open it, at once, as there is nothing left to do but to record it.
            for other in [try await store.resumePartial(location), try await store.resumePartial(location)] {
                await expectRefusal(other, "another one published it")
                let longer = await #expect(throws: StoreError.self) {
                    _ = try await other.publish(byteCount: 599_999, mayStillPublish: { true })
                }
                #expect(longer?.code == .sizeMismatch)
                #expect(try await other.publish(byteCount: 600_000, mayStillPublish: { true }) == published)
            }
            #expect(try await store.get(location.url) == bytes)
        }
    }

    @Test("one process at a time has the bytes, and a discard ends the upload")
    func ownership() async throws {
        try await withFileStore { store, directory in
            let location = try await store.intend("object", attempt: "1", size: 10)
            let missing = await #expect(throws: StoreError.self) { _ = try await store.resumePartial(location) }
            #expect(missing?.code == .notFound)
            let upload = upload(try await store.beginPartial(location, size: nil))
            let taken = await #expect(throws: StoreError.self) { _ = try await store.resumePartial(location) }
            #expect(taken?.code == .inUse)
            #expect(try await store.leftovers() == [location])
            try await append(pattern(10), to: 0..<10, of: upload)
            try await store.discard(location)
            #expect(directory.names == [])
            let error = await #expect(throws: StoreError.self) {
                _ = try await upload.finish(
                    byteCount: 10,
                    expected: ExpectedDigests(),
                    accept: nil,
                    mayStillPublish: { true }
                )
            }
            #expect(error?.code == .superseded)
            #expect(directory.names == [])
        }
    }
}

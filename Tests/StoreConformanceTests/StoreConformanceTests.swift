import Digests
import NIOCore
import StoreLayer
import Testing

/// What every store promises.
@Suite("Store conformance")
struct StoreConformanceTests {
    struct Broken: Error {}

    @Test("what was written is read back, whole", arguments: StoreUnderTest.all, [0, 1, 65_536, 524_288, 3_000_000])
    func readBack(_ subject: StoreUnderTest, _ byteCount: Int) async throws {
        try await subject.withStore { store, names in
            let bytes = pattern(byteCount)
            let (location, stored) = try await store.put(bytes)
            #expect(stored.byteCount == Int64(byteCount))
            let blob = try await store.open(location.url, range: nil)
            #expect(blob.totalByteCount == Int64(byteCount))
            blob.close()
            #expect(try await store.get(location.url) == bytes)
            #expect(names().count == 1)
        }
    }

    @Test("a range is read alone", arguments: StoreUnderTest.all)
    func ranges(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, _ in
            let bytes = pattern(300_000)
            let url = try await store.put(bytes).location.url
            let ranges: [Range<Int64>] = [
                0..<1, 0..<300_000, 99_999..<100_001, 299_999..<300_000, 7..<7, 300_000..<300_000,
            ]
            for range in ranges {
                let part = try await store.get(url, range: range, chunkByteCount: 65_536)
                #expect(part == bytes.getSlice(at: Int(range.lowerBound), length: range.count))
            }
            let error = await #expect(throws: StoreError.self) { try await store.open(url, range: 0..<300_001) }
            #expect(error?.code == .sizeMismatch)
        }
    }

    @Test("chunks are as long as asked for, the last one shorter", arguments: StoreUnderTest.all)
    func chunkLengths(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, _ in
            let url = try await store.put(pattern(250_000)).location.url
            let blob = try await store.open(url, range: 10..<250_000)
            defer { blob.close() }
            #expect(blob.range == 10..<250_000)
            var lengths: [Int] = []
            for try await chunk in blob.chunks(of: 100_000) { lengths.append(chunk.readableBytes) }
            #expect(lengths == [100_000, 100_000, 49_990])
        }
    }

    @Test("what is not there is not found", arguments: StoreUnderTest.all)
    func missing(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, _ in
            let url = try await store.intend("absent", attempt: "1", size: nil).url
            let opening = await #expect(throws: StoreError.self) { try await store.open(url, range: nil) }
            #expect(opening?.code == .notFound)
            let deleting = await #expect(throws: StoreError.self) { try await store.delete(url, identity: nil) }
            #expect(deleting?.code == .notFound)
        }
    }

    @Test("a location of another kind or place is refused", arguments: StoreUnderTest.all)
    func foreign(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, _ in
            for url in [
                "", "file:///etc/passwd", "http://example.org/object", "memory://other/object", "file://object",
            ] {
                #expect(!store.recognizes(url))
                let opening = await #expect(throws: StoreError.self) { try await store.open(url, range: nil) }
                #expect(opening?.code == .invalidLocation)
                let deleting = await #expect(throws: StoreError.self) { try await store.delete(url, identity: nil) }
                #expect(deleting?.code == .invalidLocation)
            }
            let own = try await store.intend("object", attempt: "1", size: nil)
            #expect(store.recognizes(own.url))
        }
    }

    @Test("a name that leads elsewhere is refused", arguments: StoreUnderTest.all)
    func names(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, _ in
            for name in ["", ".", "..", "../object", "a/b", ".hidden", "a\0b"] {
                let error = await #expect(throws: StoreError.self) {
                    try await store.intend(name, attempt: "1", size: nil)
                }
                #expect(error?.code == .invalidLocation)
            }
        }
    }

    @Test("a second upload to the same name is refused and harms nothing", arguments: StoreUnderTest.all)
    func duplicate(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, names in
            let url = try await store.put(pattern(1_000)).location.url
            let error = await #expect(throws: StoreError.self) { try await store.put(pattern(9), attempt: "2") }
            #expect(error?.code == .alreadyExists)
            #expect(try await store.get(url) == pattern(1_000))
            #expect(names().count == 1)
        }
    }

    @Test("of two that write at once, one publishes", arguments: StoreUnderTest.all)
    func race(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, names in
            let winners = await withTaskGroup(of: Int?.self) { group in
                for writer in 1...6 {
                    group.addTask {
                        do {
                            try await store.put(pattern(700_000, seed: writer), attempt: "\(writer)")
                            return writer
                        } catch {
                            #expect((error as? StoreError)?.code == .alreadyExists)
                            return nil
                        }
                    }
                }
                return await group.reduce(into: [Int]()) { if let writer = $1 { $0.append(writer) } }
            }
            let winner = try #require(winners.first)
            #expect(winners.count == 1)
            let url = try await store.intend("object", attempt: "7", size: nil).url
            #expect(try await store.get(url) == pattern(700_000, seed: winner))
            #expect(names().count == 1)
        }
    }

    @Test("nothing is visible before all is there", arguments: StoreUnderTest.all)
    func invisible(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, _ in
            let location = try await store.intend("object", attempt: "1", size: nil)
            let body = Body { index in
                let error = await #expect(throws: StoreError.self) { try await store.open(location.url, range: nil) }
                #expect(error?.code == .notFound)
                return index < 3 ? pattern(600_000) : nil
            }
            _ = try await store.write(location, size: nil, body: body, mayStillPublish: { true })
            #expect(try await store.get(location.url).readableBytes == 1_800_000)
        }
    }

    @Test("a body that breaks leaves nothing behind", arguments: StoreUnderTest.all)
    func broken(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, names in
            let location = try await store.intend("object", attempt: "1", size: nil)
            let body = Body { index in
                if index == 4 { throw Broken() }
                return pattern(600_000)
            }
            await #expect(throws: Broken.self) {
                try await store.write(location, size: nil, body: body, mayStillPublish: { true })
            }
            #expect(names() == [])
            #expect(try await store.leftovers() == [])
        }
    }

    @Test("a cancelled write leaves nothing behind, even when its body just ends", arguments: StoreUnderTest.all)
    func cancelled(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, names in
            let location = try await store.intend("object", attempt: "1", size: nil)
            let isUnderWay = Gate()
            let isCancelled = Gate()
            let writing = Task {
                let body = Body { index in
                    // Whole batches, so that nothing is left to be written when the end comes.
                    guard index == 2 else { return index < 2 ? pattern(524_288) : nil }
                    isUnderWay.open()
                    await isCancelled.pass()
                    return nil
                }
                return try await store.write(location, size: nil, body: body, mayStillPublish: { true })
            }
            await isUnderWay.pass()
            writing.cancel()
            isCancelled.open()
            await #expect(throws: CancellationError.self) { try await writing.value }
            #expect(names() == [])
        }
    }

    @Test("an attempt without a lease publishes nothing", arguments: StoreUnderTest.all, [1, 2])
    func leaseLost(_ subject: StoreUnderTest, _ call: Int) async throws {
        try await subject.withStore { store, names in
            let location = try await store.intend("object", attempt: "1", size: nil)
            let calls = Counter()
            let error = await #expect(throws: StoreError.self) {
                try await store.write(location, size: nil, body: Body(pattern(10))) { calls.next() != call }
            }
            #expect(error?.code == .superseded)
            #expect(names() == [])
        }
    }

    @Test("discarding before, after, twice and for another leaves what it should", arguments: StoreUnderTest.all)
    func discard(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, names in
            let early = try await store.intend("object", attempt: "1", size: nil)
            try await store.discard(early)
            let (published, _) = try await store.put(pattern(10), attempt: "2", isConfirmed: false)
            try await store.discard(early)
            #expect(try await store.get(published.url) == pattern(10))
            #expect(try await store.leftovers() == [published])
            try await store.discard(published)
            try await store.discard(published)
            #expect(names() == [])
        }
    }

    @Test("a late discard does not touch a successor", arguments: StoreUnderTest.all, [true, false])
    func lateDiscard(_ subject: StoreUnderTest, _ isConfirmed: Bool) async throws {
        try await subject.withStore { store, _ in
            let (first, stored) = try await store.put(pattern(10), attempt: "1", isConfirmed: isConfirmed)
            try await store.delete(first.url, identity: stored.identity)
            let (second, _) = try await store.put(pattern(20), attempt: "2", isConfirmed: isConfirmed)
            try await store.discard(first)
            try await store.discard(first)
            #expect(try await store.get(second.url) == pattern(20))
        }
    }

    @Test("a confirmed attempt can no longer be discarded", arguments: StoreUnderTest.all)
    func confirmed(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, _ in
            let (location, _) = try await store.put(pattern(10))
            try await store.confirm(location)
            try await store.discard(location)
            #expect(try await store.get(location.url) == pattern(10))
            #expect(try await store.leftovers() == [])
        }
    }

    @Test("a late deletion does not touch a successor", arguments: StoreUnderTest.all)
    func lateDeletion(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, names in
            let (first, stored) = try await store.put(pattern(10), attempt: "1")
            try await store.delete(first.url, identity: stored.identity)
            #expect(names() == [])
            let (second, successor) = try await store.put(pattern(10), attempt: "2")
            let error = await #expect(throws: StoreError.self) {
                try await store.delete(first.url, identity: stored.identity)
            }
            #expect(error?.code == .notFound)
            #expect(try await store.get(second.url) == pattern(10))
            try await store.delete(second.url, identity: successor.identity)
            #expect(names() == [])
        }
    }

    @Test("a writer that was discarded while it paused publishes nothing", arguments: StoreUnderTest.all)
    func pausedWriter(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, names in
            let location = try await store.intend("object", attempt: "1", size: nil)
            let body = Body { index in
                if index == 0 { return pattern(600_000) }
                // Here the writer stands still; meanwhile its attempt ends and another one is through.
                try await store.discard(location)
                try await store.put(pattern(20), attempt: "2")
                try await store.delete(location.url, identity: nil)
                return nil
            }
            let error = await #expect(throws: StoreError.self) {
                try await store.write(location, size: nil, body: body, mayStillPublish: { true })
            }
            #expect(error?.code == .superseded)
            #expect(names() == [])
        }
    }

    @Test("a reader keeps what it opened when the data is deleted", arguments: StoreUnderTest.all)
    func deletionWhileReading(_ subject: StoreUnderTest) async throws {
        try await subject.withStore { store, _ in
            let url = try await store.put(pattern(400_000)).location.url
            let blob = try await store.open(url, range: nil)
            defer { blob.close() }
            var byteCount = 0
            for try await chunk in blob.chunks(of: 100_000) {
                if byteCount == 0 { try await store.delete(url, identity: nil) }
                byteCount += chunk.readableBytes
            }
            #expect(byteCount == 400_000)
        }
    }
}

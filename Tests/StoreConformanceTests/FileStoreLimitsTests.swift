import Glibc
import NIOCore
import StoreFile
import StoreLayer
import Testing
import WireJSON

/// File systems that hang, are full or shrink, and what locations tell of them.
@Suite("File store, limits")
struct FileStoreLimitsTests {
    /// Runs `test` while the store's only thread is held up, as by a file server that is away.
    private func whileHanging(
        _ store: FileStore,
        _ threads: WorkerThreads,
        _ test: () async throws -> Void
    ) async throws {
        let gate = Gate()
        let held = threads.start { while !gate.isOpen { sleepBriefly(microseconds: 1_000) } }
        defer { gate.open() }
        try await test()
        gate.open()
        await held.value()
    }

    /// Two stores of one directory: one that a test can hold up by its threads, and one that waits for whatever the
    /// machine takes.
    private func stores(_ path: String, _ limit: Duration, _ threads: WorkerThreads) async throws
        -> (impatient: FileStore, patient: FileStore)
    {
        var options = FileStoreOptions(directories: [try DataDirectory(path)])
        let patient = FileStore("hanging", options, threads: WorkerThreads(count: 1))
        try await patient.prepare()
        options.timeLimit = limit
        return (FileStore("hanging", options, threads: threads), patient)
    }

    /// Does again what took too long although nothing hangs.
    private func inTime<Value>(_ body: () async throws -> Value) async throws -> Value {
        for _ in 0..<200 {
            do {
                return try await body()
            } catch let error as StoreError where error.code == .timedOut {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        return try await body()
    }

    @Test("a file system that hangs times every call out, and holds up no other store")
    func hanging() async throws {
        try await withFileStore { other, directory in
            let threads = WorkerThreads(count: 1)
            let (store, patient) = try await stores("\(directory.path)/hanging", .seconds(1), threads)
            let (location, _) = try await patient.put(pattern(9))
            let blob = try await inTime { try await store.open(location.url, range: nil) }
            try await whileHanging(store, threads) {
                let next = try await store.intend("next", attempt: "2", size: nil)
                let calls: [@Sendable () async throws -> Void] = [
                    { _ = try await store.open(location.url, range: nil) },
                    { try await store.delete(location.url, identity: "none") },
                    { try await store.confirm(next) },
                    { try await store.discard(next) },
                    { _ = try await store.leftovers() },
                    { try await store.put(pattern(9), "third") },
                    { for try await _ in blob.chunks(of: 4) {} },
                    { try await blob.localFile?.load(0..<9) },
                ]
                // All at once: each takes the time that it may.
                await withTaskGroup(of: Void.self) { group in
                    for (number, call) in calls.enumerated() {
                        group.addTask {
                            let error = await #expect(throws: StoreError.self, "call \(number)") { try await call() }
                            #expect(error?.code == .timedOut, "call \(number)")
                        }
                    }
                }
                #expect(try await other.get(try await other.put(pattern(5)).location.url) == pattern(5))
            }
            #expect(try await inTime { try await store.get(location.url) } == pattern(9))
            for left in try await patient.leftovers() { try await patient.discard(left) }
            #expect(directory.names.filter { $0.hasPrefix("hanging") } == ["hanging/object"])
        }
    }

    @Test(
        "a piece of an upload that hangs is cut off, and never lands on what comes after it",
        .timeLimit(.minutes(10))
    )
    func hangingPieces() async throws {
        try await withFileStore { _, directory in
            let threads = WorkerThreads(count: 2)
            let (store, patient) = try await stores("\(directory.path)/hanging", .seconds(1), threads)
            let location = try await patient.intend("object", attempt: "1", size: nil)
            do {
                let begun = try await patient.beginPartial(location, size: nil)
                try await begun.write(pattern(100), at: 0)
            }
            let data = try await inTime { try await store.resumed(location) }
            let gate = Gate()
            let held = (0..<2).map { _ in
                threads.start { while !gate.isOpen { sleepBriefly(microseconds: 1_000) } }
            }
            defer { gate.open() }
            let other = try await patient.intend("other", attempt: "2", size: nil)
            let calls: [@Sendable () async throws -> Void] = [
                { try await data.write(pattern(100, seed: 1), at: 0) },
                { try await data.write(pattern(100, seed: 2), at: 0) },
                { _ = try await data.read(0..<100) },
                { try await data.sync() },
                { _ = try await data.publish(byteCount: 100) { true } },
                { _ = try await store.beginPartial(other, size: nil) },
                { _ = try await store.resumePartial(location) },
            ]
            for (number, call) in calls.enumerated() {
                let error = await #expect(throws: StoreError.self, "call \(number)") { try await call() }
                #expect(error?.code == .timedOut, "call \(number)")
            }
            gate.open()
            for each in held { await each.value() }
            // The one write that had begun comes to its end, those that followed never began.
            #expect(try await inTime { try await data.read(0..<100) } == pattern(100, seed: 1))
            try await inTime { try await data.write(pattern(100, seed: 3), at: 0) }
            let stored = try await inTime { try await data.publish(byteCount: 100) { true } }
            #expect(stored.byteCount == 100)
            try await patient.confirm(location)
            #expect(try await patient.get(location.url) == pattern(100, seed: 3))
        }
    }

    @Test("what has no room is refused before its first byte")
    func noRoom() async throws {
        try await withFileStore { store, directory in
            let location = try await store.intend("object", attempt: "1", size: nil)
            let asked = Counter()
            let body = Body { _ in
                asked.add(1)
                return nil
            }
            let error = await #expect(throws: StoreError.self) {
                try await store.write(location, size: .max, body: body, mayStillPublish: { true })
            }
            #expect(error?.code == .full)
            #expect(asked.value == 0)
            #expect(directory.names == [])
        }
    }

    @Test("room that was reserved and not written is given back", arguments: [false, true])
    func reserved(_ isThin: Bool) async throws {
        try await withFileStore({ $0.isThin = isThin }) { store, directory in
            let location = try await store.intend("object", attempt: "1", size: 64 << 20)
            // The driver believes what it is told of the length; whoever declares it is held to it elsewhere.
            _ = try await store.write(location, size: 64 << 20, body: Body(pattern(70_000)), mayStillPublish: { true })
            var status = stat()
            stat("\(directory.path)/images/object", &status)
            #expect(status.st_size == 70_000)
            #expect(status.st_blocks * 512 < 1 << 20)
        }
    }

    @Test("a part of a file is brought into memory, and one that is not there any more is told")
    func loading() async throws {
        try await withFileStore { store, directory in
            let (location, _) = try await store.put(pattern(900_000))
            let blob = try await store.open(location.url, range: 100..<800_000)
            let file = try #require(blob.localFile)
            #expect(file.range == 100..<800_000)
            let path = "\(directory.path)/images/object"
            let descriptor = open(path, O_RDONLY)
            posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
            close(descriptor)
            for range in [file.range, 100..<101, 700_000..<700_000] as [Range<Int64>] { try await file.load(range) }
            truncate(path, 500_000)
            try await file.load(100..<500_000)
            let error = await #expect(throws: StoreError.self) { try await file.load(100..<500_001) }
            #expect(error?.code == .sizeMismatch)
            blob.close()
            #expect(blob.localFile == nil)
        }
    }

    @Test("locations tell the first mount point above their directory")
    func mountPoints() async throws {
        try await withFileStore(directoryCount: 2) { _, directory in
            let root = directory.path
            let text = """
                [{"id": "near", "mountpoint": "\(root)/images"}, {"id": "one", "mountpoint": "\(root)//images1/", "n": [1]},
                 {"id": "all", "mountpoint": "/"}]
                """
            var options = FileStoreOptions(
                directories: [try DataDirectory("\(root)/images0"), try DataDirectory("\(root)/images1")]
            )
            options.mountPoints = try MountPoints(parsing: Array(text.utf8))
            let store = FileStore("files", options, threads: WorkerThreads(count: 1))
            let one = store.metadata(of: "file://\(root)/images1/object")
            #expect(one["id"]?.stringValue == "one")
            #expect(one["n"]?.arrayValue?.count == 1)
            #expect(store.metadata(of: "file://\(root)/images0/object")["id"]?.stringValue == "all")
            #expect(store.metadata(of: "file:///elsewhere/object").isEmpty)
        }
        for wrong in [
            "", "{", "7", "[7]", "{}", #"{"id": "a"}"#, #"{"id": 1, "mountpoint": "/"}"#,
            #"{"id": "a", "mountpoint": "relative"}"#,
        ] {
            #expect(throws: StoreError.self, "\(wrong)") { try MountPoints(parsing: Array(wrong.utf8)) }
        }
        #expect(try MountPoints(parsing: Array("[]".utf8)) == MountPoints())
    }
}

import Foundation
import Glibc
import NIOCore
import StoreFile
import StoreLayer
import Testing

/// What the file store promises beyond the contract.
@Suite("File store")
struct FileStoreTests {
    @Test("data lies at the image's name in the directory, as glance_store has it")
    func names() async throws {
        try await withFileStore { store, directory in
            let (location, _) = try await store.put(pattern(5), "71c675ab-d94f-49cd-a114-e12490b328d9")
            #expect(location.url == "file://\(directory.path)/images/71c675ab-d94f-49cd-a114-e12490b328d9")
            #expect(directory.names == ["images/71c675ab-d94f-49cd-a114-e12490b328d9"])
        }
    }

    @Test("an attempt is known by its temporary name until it is confirmed")
    func leftovers() async throws {
        try await withFileStore { store, directory in
            let (location, _) = try await store.put(pattern(5), attempt: "a-1", isConfirmed: false)
            #expect(directory.names == ["images/.uploads/object.a-1", "images/object"])
            #expect(try await store.leftovers() == [location])
            try await store.confirm(location)
            #expect(try await store.leftovers() == [])
        }
    }

    @Test("a discard between the last look at the lease and publishing wins")
    func discardBeforeLink() async throws {
        try await withFileStore { store, directory in
            let location = try await store.intend("object", attempt: "1", size: nil)
            let calls = Counter()
            let isAsked = Gate()
            let mayGoOn = Gate()
            let writing = Task {
                defer { isAsked.open() }
                return try await store.write(location, size: nil, body: Body(pattern(9))) {
                    // The lease holds at this moment; then the process stands still.
                    if calls.next() == 2 {
                        isAsked.open()
                        while !mayGoOn.isOpen { sleepBriefly(microseconds: 1_000) }
                    }
                    return true
                }
            }
            await isAsked.pass()
            try await store.discard(location)
            try await store.put(pattern(20), attempt: "2")
            try await store.delete(location.url, identity: nil)
            mayGoOn.open()
            let error = await #expect(throws: StoreError.self) { try await writing.value }
            #expect(error?.code == .superseded)
            #expect(directory.names == [])
        }
    }

    @Test("a discard that died half way is finished by the next", arguments: [true, false])
    func discardResumed(_ isPublished: Bool) async throws {
        try await withFileStore { store, directory in
            let (location, _) = try await store.put(pattern(5), isConfirmed: false)
            let images = "\(directory.path)/images"
            rename("\(images)/.uploads/object.1", "\(images)/.uploads/.object.1")
            if !isPublished { unlink("\(images)/object") }
            #expect(try await store.leftovers() == [location])
            try await store.discard(location)
            #expect(directory.names == [])
        }
    }

    @Test("a removal that holds a file for too long times the others out")
    func lockTimeout() async throws {
        try await withFileStore({ $0.lockPatience = .milliseconds(30) }) { store, directory in
            let (location, _) = try await store.put(pattern(5), isConfirmed: false)
            let descriptor = open("\(directory.path)/images/object", O_RDONLY)
            flock(descriptor, LOCK_EX)
            let deleting = await #expect(throws: StoreError.self) {
                try await store.delete(location.url, identity: nil)
            }
            #expect(deleting?.code == .timedOut)
            #expect(deleting?.isRetryable == true)
            let discarding = await #expect(throws: StoreError.self) { try await store.discard(location) }
            #expect(discarding?.code == .timedOut)
            #expect(try await store.get(location.url) == pattern(5))
            close(descriptor)
            try await store.discard(location)
            #expect(directory.names == [])
        }
    }

    @Test("a removal that waited looks again whose the name is", arguments: [true, false])
    func replacedWhileWaiting(_ isDiscard: Bool) async throws {
        try await withFileStore { store, directory in
            let (location, stored) = try await store.put(pattern(5), isConfirmed: false)
            let object = "\(directory.path)/images/object"
            let descriptor = open(object, O_RDONLY)
            flock(descriptor, LOCK_EX)
            let removing = Task {
                if isDiscard {
                    try await store.discard(location)
                } else {
                    try await store.delete(location.url, identity: stored.identity)
                }
            }
            // Long enough for the removal to have looked once; were it not, the test would only prove less.
            try await Task.sleep(for: .milliseconds(100))
            unlink(object)
            let (successor, _) = try await store.put(pattern(20), attempt: "2")
            close(descriptor)
            do {
                try await removing.value
                #expect(isDiscard)
            } catch let error as StoreError {
                #expect(error.code == .notFound)
            }
            #expect(try await store.get(successor.url) == pattern(20))
        }
    }

    @Test("a directory that is not mounted has lost nothing")
    func unmounted() async throws {
        try await withFileStore { store, directory in
            let (location, stored) = try await store.put(pattern(5))
            rename("\(directory.path)/images", "\(directory.path)/away")
            for isThere in [false, true] {
                if isThere { mkdir("\(directory.path)/images", 0o755) }
                let deleting = await #expect(throws: StoreError.self) {
                    try await store.delete(location.url, identity: stored.identity)
                }
                #expect(deleting?.code == .unavailable)
                let discarding = await #expect(throws: StoreError.self) { try await store.discard(location) }
                #expect(discarding?.code == .unavailable)
            }
        }
    }

    @Test("a file that became shorter breaks the stream instead of ending it")
    func truncatedFile() async throws {
        try await withFileStore { store, directory in
            let (location, _) = try await store.put(pattern(500_000))
            let blob = try await store.open(location.url, range: nil)
            defer { blob.close() }
            truncate("\(directory.path)/images/object", 250_000)
            var byteCount = 0
            let error = await #expect(throws: StoreError.self) {
                for try await chunk in blob.chunks(of: 100_000) { byteCount += chunk.readableBytes }
            }
            #expect(error?.code == .sizeMismatch)
            #expect(byteCount <= 200_000)
        }
    }

    @Test("a local file is open as long as the blob or who borrowed it")
    func localFile() async throws {
        try await withFileStore { store, directory in
            let (location, _) = try await store.put(pattern(500))
            let blob = try await store.open(location.url, range: 10..<20)
            // Numbers are used again by whoever opens something; the name tells.
            func isOpen(_ descriptor: Int32) -> Bool {
                // Nothing has the number any more where there is no link.
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
                return target?.hasPrefix(directory.path) == true
            }
            var descriptor: Int32 = -1
            do {
                let file = try #require(blob.localFile)
                descriptor = file.descriptor
                #expect(file.range == 10..<20)
                blob.close()
                #expect(blob.localFile == nil)
                let isLent = withExtendedLifetime(file) { isOpen(descriptor) }
                #expect(isLent)
            }
            #expect(!isOpen(descriptor))
        }
    }

    @Test("zeros become holes, and read as zeros")
    func thin() async throws {
        try await withFileStore({ $0.isThin = true }) { store, directory in
            var bytes = Chunk(repeating: 0, count: 3_000_000)
            bytes.setBytes([1], at: 70_000)
            bytes.setBytes([2], at: 1_500_000)
            let (location, stored) = try await store.put(bytes)
            #expect(stored.byteCount == 3_000_000)
            #expect(try await store.get(location.url) == bytes)
            var status = stat()
            stat("\(directory.path)/images/object", &status)
            #expect(status.st_blocks * 512 <= 3 * 65_536)
        }
    }

    @Test("permissions are the operator's, in octal written as decimal")
    func permissions() async throws {
        #expect(try FileStoreOptions.permissions(decimal: 640) == 0o640)
        #expect(try FileStoreOptions.permissions(decimal: 0) == nil)
        #expect(try FileStoreOptions.permissions(decimal: -1) == nil)
        for wrong in [9, 240, 1_000, 40] {
            #expect(throws: StoreError.self) { try FileStoreOptions.permissions(decimal: wrong) }
        }
        try await withFileStore({ $0.permissions = 0o644 }) { store, directory in
            try await store.put(pattern(5))
            var status = stat()
            stat("\(directory.path)/images/object", &status)
            #expect(status.st_mode & 0o777 == 0o644)
            stat("\(directory.path)/images", &status)
            #expect(status.st_mode & 0o011 == 0o011)
        }
    }

    @Test("a directory that can not be used stops the start with its name")
    func prepare() async throws {
        try await withFileStore { _, directory in
            let file = "\(directory.path)/file"
            close(open(file, O_CREAT | O_WRONLY, 0o600))
            let options = FileStoreOptions(directories: [try DataDirectory("\(file)/images")])
            let store = FileStore("files", options, threads: WorkerThreads(count: 1))
            let error = await #expect(throws: StoreError.self) { try await store.prepare() }
            #expect(error?.message.contains("filesystem_store_datadir \(file)/images cannot be used") == true)
        }
    }

    @Test("directories are read as path:priority")
    func directories() throws {
        let list = try DataDirectory.list(["/a/", "/b:200", "/a:0", "//c//d:-1"])
        #expect(list.map(\.path) == ["/a", "/b", "/c/d"])
        #expect(list.map(\.priority) == [0, 200, -1])
        for wrong in [[], ["/a", "/a:1"], ["a"], ["/"], ["/a/../b"], ["/a:x"], [""]] {
            #expect(throws: StoreError.self) { try DataDirectory.list(wrong) }
        }
    }

    @Test("the directory of the highest priority that has room is taken")
    func choice() async throws {
        try await withFileStore(directoryCount: 3) { store, directory in
            let url = try await store.intend("object", attempt: "1", size: 1).url
            #expect(url == "file://\(directory.path)/images2/object")
            let error = await #expect(throws: StoreError.self) {
                try await store.intend("object", attempt: "1", size: .max)
            }
            #expect(error?.code == .full)
        }
    }

    @Test("only plain paths below its own directories are this store's")
    func locations() async throws {
        try await withFileStore { store, directory in
            let images = "\(directory.path)/images"
            #expect(store.recognizes("file://\(images)/object"))
            #expect(store.recognizes("filesystem://\(images)/object"))
            #expect(store.recognizes("file://\(directory.path)//images//object"))
            for path in [
                "\(images)/", "\(images)", "\(images)/../object", "\(images)/a/object", "\(images)/.uploads/object.1",
                "\(images)/.uploads", "\(images)2/object", "\(directory.path)/object", "\(images)/./object", "object",
            ] {
                #expect(!store.recognizes("file://\(path)"), "\(path)")
            }
            for (object, attempt) in [("object", "a.b"), ("object", ""), ("object", "a/b"), ("other", "1")] {
                let location = IntendedLocation(url: "file://\(images)/object", object: object, attempt: attempt)
                let error = await #expect(throws: StoreError.self) { try await store.discard(location) }
                #expect(error?.code == .invalidLocation)
            }
        }
    }

    @Test("symbolic links and other files that are none are not followed")
    func links() async throws {
        try await withFileStore { store, directory in
            let images = "\(directory.path)/images"
            symlink("/etc/passwd", "\(images)/link")
            mkfifo("\(images)/pipe", 0o600)
            mkdir("\(images)/directory", 0o700)
            for name in ["link", "pipe", "directory"] {
                let error = await #expect(throws: StoreError.self) {
                    try await store.open("file://\(images)/\(name)", range: nil)
                }
                #expect(error?.code == .notFound)
                await #expect(throws: StoreError.self) { try await store.put(pattern(1), name) }
            }
        }
    }

    @Test("what the system answers is told in the Image API's words, without a path")
    func messages() {
        func code(_ number: Int32, _ make: (SystemCallError) -> StoreError) -> StoreError.Code {
            let error = make(SystemCallError("pwrite", "/secret", number: number))
            #expect(!error.message.contains("secret"))
            return error.code
        }
        for number in [ENOSPC, EDQUOT, EFBIG] { #expect(code(number, StoreError.init(writing:)) == .full) }
        for number in [EACCES, EPERM, EROFS] {
            #expect(code(number, StoreError.init(writing:)) == .writeDenied)
            #expect(code(number, StoreError.init(deleting:)) == .forbidden)
        }
        for number in [ENOENT, ENOTDIR, ELOOP] {
            #expect(code(number, StoreError.init(reading:)) == .notFound)
            #expect(code(number, StoreError.init(deleting:)) == .notFound)
        }
        for number in [EIO, ESTALE, ETIMEDOUT] { #expect(code(number, StoreError.init(reading:)) == .unavailable) }
        let full = StoreError(writing: SystemCallError("pwrite", "/secret", number: ENOSPC))
        #expect(full.message == "Image storage media is full")
    }
}

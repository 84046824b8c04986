import Glibc
import Logging
import Synchronization
import Testing

@testable import ServiceKit

@Suite("Values from files")
struct FollowedFilesTests {
    private struct Broken: Error {}

    private let directory = TemporaryDirectory()

    private func follow(_ path: String, _ made: Counter = Counter()) throws -> FollowedFiles<String> {
        let directory = directory
        return try FollowedFiles([path], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
            made.add()
            let text = directory.read("value")
            guard !text.isEmpty, text != "broken" else { throw Broken() }
            return text
        }
    }

    /// Asks until the value is that, or for a minute.
    private func wait(for value: String, _ files: FollowedFiles<String>) async throws -> Bool {
        for _ in 0..<3_000 where files.current != value { try await Task.sleep(for: .milliseconds(20)) }
        return files.current == value
    }

    @Test("a change is taken over within a few seconds, a broken one is not, and asking does not read")
    func changes() async throws {
        let path = directory.write("value", "one")
        let made = Counter()
        let files = try follow(path, made)
        for _ in 0..<1_000 { #expect(files.current == "one") }
        #expect(made.count == 1)
        directory.write("value", "two")
        #expect(try await wait(for: "two", files))
        directory.write("value", "broken")
        try await Task.sleep(for: .milliseconds(2_300))
        #expect(files.current == "two")
        let count = made.count
        #expect(files.current == "two")
        try await Task.sleep(for: .milliseconds(1_200))
        #expect(files.current == "two")
        #expect(made.count == count, "a fault is found once")
        unlink(path)
        try await Task.sleep(for: .milliseconds(1_200))
        #expect(files.current == "two")
        directory.write("value", "three")
        #expect(try await wait(for: "three", files))
    }

    @Test("a reload reads at once")
    func reload() throws {
        let path = directory.write("value", "one")
        let files = try follow(path)
        directory.write("value", "two")
        files.reload()
        #expect(files.current == "two")
        directory.write("value", "broken")
        files.reload()
        #expect(files.current == "two")
    }

    @Test("there is no start without a value")
    func start() throws {
        #expect(throws: (any Error).self) { try follow("\(directory.path)/value") }
    }
}

private final class Counter: Sendable {
    private let value = Atomic(0)
    var count: Int { value.load(ordering: .relaxed) }
    func add() { value.add(1, ordering: .relaxed) }
}

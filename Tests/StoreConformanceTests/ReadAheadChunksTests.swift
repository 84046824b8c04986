import NIOCore
import StoreLayer
import Synchronization
import Testing

/// Chunks that are read before they are asked for.
@Suite("Read-ahead", .timeLimit(.minutes(10)))
struct ReadAheadChunksTests {
    struct Broken: Error {}

    /// Told when nobody refers to it any more.
    private final class Held: Sendable {
        let released: Gate

        init(_ released: Gate) { self.released = released }

        deinit { released.open() }
    }

    @Test("they are the same chunks, however far ahead they are read", arguments: [1, 2, 7], [0, 1, 2, 50])
    func same(_ limit: Int, _ count: Int) async throws {
        let body = Body { index in
            if index % 3 == 0 { await Task.yield() }
            return index < count ? pattern(index % 5, seed: index) : nil
        }
        var taken: [Chunk] = []
        for try await chunk in ReadAheadChunks(body, limit: limit) {
            if taken.count % 4 == 0 { await Task.yield() }
            taken.append(chunk)
        }
        #expect(taken == (0..<count).map { pattern($0 % 5, seed: $0) })
    }

    @Test("nothing is read before the first question, then so many and no more", arguments: [1, 2, 3])
    func bounded(_ limit: Int) async throws {
        let asked = Counter()
        let body = Body { index in
            asked.add(1)
            return index < 40 ? pattern(10) : nil
        }
        var chunks = ReadAheadChunks(body, limit: limit).makeAsyncIterator()
        #expect(asked.value == 0)
        for taken in 1...40 {
            #expect(try await chunks.next() == pattern(10))
            // While the reader has one: the end counts as a question too.
            while asked.value < min(taken + limit, 41) { await Task.yield() }
            for _ in 0..<20 { await Task.yield() }
            #expect(asked.value <= taken + limit)
        }
        #expect(try await chunks.next() == nil)
        #expect(try await chunks.next() == nil)
    }

    @Test("a failure comes behind the chunks before it")
    func failure() async throws {
        let body = Body { index in
            guard index < 3 else { throw Broken() }
            return pattern(4)
        }
        var chunks = ReadAheadChunks(body, limit: 2).makeAsyncIterator()
        for _ in 0..<3 { #expect(try await chunks.next() == pattern(4)) }
        await #expect(throws: Broken.self) { try await chunks.next() }
    }

    /// A body that gives some chunks and then nothing, and tells when it is let go of.
    private func silent(after count: Int, released: Gate, reached: Gate = Gate()) -> Body {
        let held = Held(released)
        return Body { index in
            guard index == count else { return pattern(4) }
            reached.open()
            // Cancelled by the end of the reader alone.
            defer { withExtendedLifetime(held) {} }
            try await Task.sleep(for: .seconds(3_600))
            return nil
        }
    }

    @Test("a reader that goes away ends the reading ahead, and the base is let go of")
    func abandoned() async throws {
        let (released, reached) = (Gate(), Gate())
        do {
            var chunks = ReadAheadChunks(silent(after: 2, released: released, reached: reached), limit: 2)
                .makeAsyncIterator()
            #expect(try await chunks.next() == pattern(4))
            await reached.pass()
        }
        await released.pass()
    }

    @Test("so does one that is let go of while there is no room")
    func abandonedWhileFull() async throws {
        let released = Gate()
        do {
            let held = Held(released)
            let body = Body { _ in withExtendedLifetime(held) { pattern(4) } }
            var chunks = ReadAheadChunks(body, limit: 1).makeAsyncIterator()
            #expect(try await chunks.next() == pattern(4))
        }
        await released.pass()
    }

    @Test("a reader that is cancelled is told so, and the base is let go of")
    func cancelled() async throws {
        let (released, reached) = (Gate(), Gate())
        let body = silent(after: 1, released: released, reached: reached)
        let reader = Task { [body] in
            for try await _ in ReadAheadChunks(body, limit: 2) {}
        }
        await reached.pass()
        reader.cancel()
        await #expect(throws: CancellationError.self) { try await reader.value }
        let again = ReadAheadChunks(body, limit: 1)
        await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await #expect(throws: CancellationError.self) { for try await _ in again {} }
        }.value
    }
}

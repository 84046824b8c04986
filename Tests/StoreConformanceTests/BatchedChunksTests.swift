import NIOCore
import StoreLayer
import Testing

@Suite("Batches")
struct BatchedChunksTests {
    private static func lengths(_ batches: BatchedChunks<Body>) async throws -> [Int] {
        var lengths: [Int] = []
        for try await batch in batches { lengths.append(batch.readableBytes) }
        return lengths
    }

    @Test("a batch that somebody holds is never written again", arguments: 1...8)
    func held(count: Int) async throws {
        let bytes = pattern(400_000)
        var held: [Chunk] = []
        var whole = Chunk()
        for try await batch in BatchedChunks(Body(bytes, lengths: [3_001]), of: 4_096) {
            held.append(batch)
            // Its reader is so many batches behind, which is more than are kept for being filled again.
            if held.count > count { whole.writeImmutableBuffer(held.removeFirst()) }
        }
        for batch in held { whole.writeImmutableBuffer(batch) }
        #expect(whole == bytes)
    }

    @Test("large chunks pass as they are, small ones are gathered")
    func passing() async throws {
        let cases: [(lengths: [Int], batches: [Int])] = [
            ([700, 64, 65, 9], [700, 64, 65, 9]),
            ([10, 10, 700], [100, 620]),
            ([63, 37, 64, 1], [100, 64, 1]),
        ]
        for (lengths, batches) in cases {
            let body = Body(pattern(lengths.reduce(0, +)), lengths: lengths)
            #expect(try await Self.lengths(BatchedChunks(body, of: 100, passing: 64)) == batches)
        }
    }

    @Test("the more uploads there are, the shorter are their batches, down to a least length")
    func budget() async throws {
        let budget = BatchBudget()
        func length(at count: Int) async throws -> Int {
            guard count > 0 else {
                let lengths = try await Self.lengths(
                    BatchedChunks(Body(pattern(600_000), lengths: [1_000]), within: budget)
                )
                #expect(lengths.first == budget.batchByteCount)
                return budget.batchByteCount
            }
            return try await budget.sharing { try await length(at: count - 1) }
        }
        let share = DigestingUpload.batchesInFlight + 2
        var last = Int.max
        for count in [0, 1, 8, 64, 150, 1_000] {
            let length = try await length(at: count)
            #expect(length.isMultiple(of: BatchBudget.shortest) && length <= last)
            #expect(length == BatchBudget.shortest || length * count * share <= BatchBudget.byteCount)
            last = length
        }
        #expect(last == BatchBudget.shortest)
        #expect(budget.batchByteCount == DigestingUpload.batchByteCount)
    }
}

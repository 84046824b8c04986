import Digests
import NIOCore
import StoreLayer
import Testing

@Suite("Verified chunks")
struct VerifiedChunksTests {
    private let threads = WorkerThreads(count: 2)

    private func verified(_ bytes: Chunk, expecting value: String, lengths: [Int]) -> VerifiedChunks<Body> {
        VerifiedChunks(
            Body(bytes, lengths: lengths),
            expected: ExpectedDigest(.sha256, hexadecimal: value),
            threads: threads
        )
    }

    private func digest(of bytes: Chunk) -> String { Digest.of(Array(bytes.readableBytesView), .sha256).description }

    @Test(
        "data with the digest passes as it is",
        arguments: [0, 1, 999, 1_000, 1_001, 300_000],
        [[1_000], [1, 70_000]]
    )
    func passes(_ byteCount: Int, _ lengths: [Int]) async throws {
        let bytes = pattern(byteCount)
        var passed = Chunk()
        for try await var chunk in verified(bytes, expecting: digest(of: bytes).uppercased(), lengths: lengths) {
            passed.writeBuffer(&chunk)
        }
        #expect(passed == bytes)
    }

    @Test("data with another digest never passes to its end", arguments: [1, 1_000, 1_001, 300_000])
    func breaksOff(_ byteCount: Int) async throws {
        let bytes = pattern(byteCount)
        let other = digest(of: pattern(byteCount, seed: 1))
        var passed = 0
        let error = await #expect(throws: DigestMismatch.self) {
            for try await chunk in verified(bytes, expecting: other, lengths: [1_000]) { passed += chunk.readableBytes }
        }
        #expect(error?.found.description == digest(of: bytes))
        #expect(passed == (byteCount - 1) / 1_000 * 1_000)
    }

    @Test("what the data throws is thrown, and is no mismatch")
    func failure() async throws {
        let body = Body { index in
            guard index < 3 else { throw StoreError(.sizeMismatch, "short") }
            return pattern(10)
        }
        let chunks = VerifiedChunks(body, expected: ExpectedDigest(.md5, hexadecimal: ""), threads: threads)
        await #expect(throws: StoreError.self) { for try await _ in chunks {} }
    }
}

import Testing

@testable import ServiceKit

@Suite("Reads of uploads")
struct UploadReadsTests {
    @Test("many connections read little each, so that all of them together hold a bounded amount")
    func share() {
        let reads = UploadReads()
        var last = Int.max
        for count in 1...1_000 {
            reads.begin()
            let length = reads.readByteCount
            #expect(length <= last)
            #expect(length == UploadReads.shortest || length * count * UploadReads.count <= UploadReads.byteCount)
            #expect(UploadReadAllocator(reads: reads).nextBufferSize() == length)
            last = length
        }
        #expect(last == UploadReads.shortest)
        for _ in 1...1_000 { reads.end() }
        #expect(reads.readByteCount == UploadReads.longest)
    }
}

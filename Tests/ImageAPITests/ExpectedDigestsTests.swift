import Digests
import ImageModel
import RegistryContract
import StoreLayer
import Testing

@testable import ImageAPI

/// What is asked of the digests of an upload that is complete already.
@Suite("Expected digests of a session")
struct ExpectedDigestsTests {
    private let session: UploadSessionRecord

    init() throws {
        let id = try #require(ImageID("11111111-1111-4111-8111-111111111111"))
        var image = Image(id: id, status: .active, owner: "p")
        image.checksum = Self.digest("data", .md5).description
        image.hashAlgorithm = "sha512"
        image.hashValue = Self.digest("data", .sha512).description
        session = UploadSessionRecord(
            image: image,
            attempt: "a",
            node: "n",
            store: nil,
            url: "stub://only/x",
            terms: UploadSessionTerms(
                isParallel: true,
                metadata: nil,
                digests: ["sha256": Self.digest("data", .sha256).description]
            ),
            parts: [0..<4],
            received: [0..<4],
            isFinished: true,
            lease: SessionRegistry.lease
        )
    }

    private static func digest(_ text: String, _ algorithm: DigestAlgorithm) -> Digest {
        Digest.of(Array(text.utf8), algorithm)
    }

    private func refusal(_ text: String, _ algorithm: DigestAlgorithm) throws -> ServiceError.Code? {
        var expected = ExpectedDigests()
        try expected.add(Self.digest(text, algorithm), algorithm)
        do throws(ServiceError) {
            try expected.requireCompared(with: session)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("what was computed is compared", arguments: [DigestAlgorithm.md5, .sha256, .sha512])
    func compared(_ algorithm: DigestAlgorithm) throws {
        #expect(try refusal("data", algorithm) == nil)
        #expect(try refusal("other", algorithm) == .invalidRequest)
    }

    @Test("of what was not computed nobody says that it is right")
    func unknown() throws {
        #expect(try refusal("data", .sha3_256) == .conflict)
        try ExpectedDigests().requireCompared(with: session)
    }
}

import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// What projects use, and what there is no room for.
@Suite("Usage and limits")
struct UsageTableTests {
    private static let mebibyte: Int64 = 1 << 20

    private func image(_ number: Int, _ owner: String? = "p") -> Image { Image(id: .numbered(number), owner: owner) }

    private func sentence<Answer>(_ body: () async throws -> Answer) async -> String? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? RegistryError).map { "\($0.code.rawValue): \($0.message)" } ?? "\(error)"
        }
    }

    @Test("an image is counted from its creation to its deletion", arguments: DatabaseUnderTest.all)
    func life(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(image(1))
            #expect(try await tables.usage(of: "p") == ProjectUsage(imageCount: 1))
            try await tables.begin(.numbered(1), attempt: "a1", size: 7)
            #expect(try await tables.usage(of: "p") == ProjectUsage(imageCount: 1, uploadingCount: 1, storedBytes: 7))
            try await tables.finish("a1", size: 7)
            #expect(try await tables.usage(of: "p") == ProjectUsage(imageCount: 1, storedBytes: 7))
            let deletions = try await tables.delete(.numbered(1))
            #expect(try await tables.usage(of: "p") == ProjectUsage())
            try await tables.restore(.numbered(1))
            #expect(try await tables.usage(of: "p") == ProjectUsage(imageCount: 1, storedBytes: 7))
            try await tables.delete(.numbered(1))
            try await tables.finishDeletions(deletions)
            #expect(try await tables.usage(of: "p") == ProjectUsage())
            #expect(try await tables.usage(of: "nobody") == ProjectUsage())
        }
    }

    @Test("staged data is counted apart, and an upload that ends gives its room back", arguments: DatabaseUnderTest.all)
    func staging(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(image(1))
            try await tables.beginStaging(.numbered(1), attempt: "a1", size: 9)
            #expect(try await tables.usage(of: "p") == ProjectUsage(imageCount: 1, uploadingCount: 1, stagedBytes: 9))
            try await tables.finishStaging("a1", size: 9)
            #expect(try await tables.usage(of: "p") == ProjectUsage(imageCount: 1, uploadingCount: 1, stagedBytes: 9))
            try await tables.create(image(2))
            try await tables.begin(.numbered(2), attempt: "a2", size: 4)
            try await tables.abort("a2")
            try await tables.create(image(3))
            try await tables.begin(.numbered(3), attempt: "a3", size: 4)
            #expect(try await tables.usage(of: "p").storedBytes == 4)
            #expect(try await tables.reap(at: .start + 61) == 1)
            #expect(try await tables.usage(of: "p") == ProjectUsage(imageCount: 3, uploadingCount: 1, stagedBytes: 9))
            try await tables.delete(.numbered(1))
            #expect(try await tables.usage(of: "p") == ProjectUsage(imageCount: 2))
        }
    }

    @Test("an image that changes hands takes its figures along", arguments: DatabaseUnderTest.all)
    func owner(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await tables.create(image(1))
            try await tables.begin(.numbered(1), attempt: "a1", size: 7)
            for owner in ["q", nil, "p"] {
                var image = try await tables.show(.numbered(1))
                image.owner = owner
                try await tables.update(image)
                for project in ["p", "q"] {
                    let expected =
                        project == owner
                        ? ProjectUsage(imageCount: 1, uploadingCount: 1, storedBytes: 7) : ProjectUsage()
                    #expect(try await tables.usage(of: project) == expected, "\(owner ?? "nobody")")
                }
            }
        }
    }

    @Test("there is room for so many images", arguments: DatabaseUnderTest.all)
    func imageCount(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let limits = UsageLimits(imageCount: 2)
            try await tables.create(image(1), within: limits)
            try await tables.create(image(2), within: limits)
            #expect(
                await sentence { try await tables.create(image(3), within: limits) }
                    == "limitExceeded: image_count_total is over limit of 2 due to current usage 2 and delta 1"
            )
            #expect(await refusal { try await tables.show(.numbered(3)) } == .notFound)
            try await tables.create(image(3, "q"), within: limits)
            try await tables.create(image(4, nil), within: limits)
            try await tables.delete(.numbered(1))
            try await tables.create(image(5), within: limits)
            #expect(
                await refusal { try await tables.create(image(6), within: UsageLimits(imageCount: 0)) }
                    == .limitExceeded
            )
        }
    }

    @Test("a storage quota bounds what is declared and what is reserved", arguments: DatabaseUnderTest.all)
    func storageQuota(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let limits = UsageLimits(storageQuota: 10)
            for number in 1...4 { try await tables.create(image(number)) }
            try await tables.begin(.numbered(1), attempt: "a1", size: 6, within: limits)
            #expect(
                await sentence { try await tables.begin(.numbered(2), attempt: "a2", size: 5, within: limits) }
                    == "limitExceeded: Image exceeds the storage quota: The size of the data 5 will exceed the limit. "
                    + "4 bytes remaining."
            )
            #expect(try await tables.show(.numbered(2)).status == .queued)
            // Of unknown size: it begins while anything is left, and takes what it needs as it goes.
            try await tables.begin(.numbered(2), attempt: "a2", within: limits)
            #expect(try await tables.reserve("a2", needed: 1, wanted: 100) == 4)
            #expect(try await tables.reserve("a2", needed: 3) == 4, "it has that already")
            #expect(
                await sentence { try await tables.reserve("a2", needed: 5) }
                    == "limitExceeded: Image exceeds the storage quota: The size of the data 5 will exceed the limit. "
                    + "4 bytes remaining."
            )
            #expect(
                await refusal { try await tables.begin(.numbered(3), attempt: "a3", within: limits) } == .limitExceeded
            )
            #expect(await refusal { try await tables.finish("a2", size: 5) } == .limitExceeded)
            try await tables.finish("a2", size: 3)
            try await tables.finish("a1", size: 6)
            #expect(try await tables.usage(of: "p").storedBytes == 9)
            // What nobody asked room for is asked for at the end.
            try await tables.begin(.numbered(4), attempt: "a4", within: limits)
            #expect(await refusal { try await tables.finish("a4", size: 2) } == .limitExceeded)
            try await tables.finish("a4", size: 1)
            #expect(try await tables.usage(of: "p").storedBytes == 10)
            try await tables.delete(.numbered(4))
            try await tables.begin(.numbered(3), attempt: "a3", size: 1, within: limits)
            #expect(await refusal { try await tables.reserve("a1", needed: 1) } == .leaseLost)
            #expect(
                await refusal { try await tables.reserve("a3", needed: 1, at: .start + 61) } == .leaseLost
            )
        }
    }

    @Test("a storage quota counts every location", arguments: DatabaseUnderTest.all)
    func locations(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let limits = UsageLimits(storageQuota: 10)
            var image = try await tables.create(image(1))
            image.status = .active
            image.size = 5
            image.locations = ["http://a", "http://b", "http://c"].map { ImageLocation(url: $0) }
            let message = await sentence { [image] in try await tables.relocate(image, within: limits) }
            #expect(
                message?.hasPrefix("limitExceeded: Denying attempt to upload image because it exceeds the quota")
                    == true
            )
            #expect(try await tables.show(image.id).status == .queued)
            image.locations.removeLast()
            image = try await tables.relocate(image, within: limits).image
            #expect(try await tables.usage(of: "p").storedBytes == 10)
            // Beyond a quota that shrank, nothing may be added, and everything may be taken away.
            let less = UsageLimits(storageQuota: 1)
            image.locations.removeLast()
            image = try await tables.relocate(image, within: less).image
            #expect(try await tables.usage(of: "p").storedBytes == 5)
        }
    }

    @Test("sizes that no image has are counted as the largest one, and do no harm", arguments: DatabaseUnderTest.all)
    func absurdSizes(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let limits = UsageLimits(storageQuota: .max)
            for number in 1...3 { try await tables.create(image(number)) }
            for number in 1...2 {
                try await tables.begin(.numbered(number), attempt: "a\(number)", size: 1 << 60, within: limits)
                #expect(try await tables.usage(of: "p").storedBytes == Int64(number) << 46)
                #expect(try await tables.reserve("a\(number)", needed: 1 << 60, wanted: .max) == 1 << 46)
                try await tables.finish("a\(number)", size: 1 << 60)
                #expect(try await tables.usage(of: "p").storedBytes == Int64(number) << 46)
            }
            #expect(
                await refusal {
                    try await tables.begin(
                        .numbered(3),
                        attempt: "a3",
                        size: .max,
                        within: UsageLimits(storedMebibytes: 1)
                    )
                } == .limitExceeded
            )
            for number in 1...2 { try await tables.delete(.numbered(number)) }
            #expect(try await tables.usage(of: "p") == ProjectUsage(imageCount: 1))
        }
    }

    @Test("limits in mebibytes bound whole ones; unknown sizes may go beyond", arguments: DatabaseUnderTest.all)
    func mebibytes(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for number in 1...5 { try await tables.create(image(number)) }
            let stored = UsageLimits(storedMebibytes: 5)
            try await tables.begin(.numbered(1), attempt: "a1", size: 3 * Self.mebibyte, within: stored)
            #expect(
                await sentence {
                    try await tables.begin(.numbered(2), attempt: "a2", size: 3 * Self.mebibyte, within: stored)
                } == "limitExceeded: image_size_total is over limit of 5 due to current usage 3 and delta 3"
            )
            #expect(
                await refusal { try await tables.begin(.numbered(2), attempt: "a2", size: .max, within: stored) }
                    == .limitExceeded
            )
            try await tables.begin(.numbered(2), attempt: "a2", within: stored)
            try await tables.finish("a2", size: 9 * Self.mebibyte)
            #expect(
                await refusal { try await tables.begin(.numbered(3), attempt: "a3", within: stored) } == .limitExceeded
            )
            let staged = UsageLimits(stagedMebibytes: 1)
            try await tables.beginStaging(.numbered(4), attempt: "a4", size: 2 * Self.mebibyte - 1, within: staged)
            #expect(
                await sentence {
                    try await tables.beginStaging(.numbered(5), attempt: "a5", size: Self.mebibyte, within: staged)
                } == "limitExceeded: image_stage_total is over limit of 1 due to current usage 1 and delta 1"
            )
            let uploading = UsageLimits(uploadingCount: 2)
            #expect(
                await sentence { try await tables.begin(.numbered(5), attempt: "a5", within: uploading) }
                    == "limitExceeded: image_count_uploading is over limit of 2 due to current usage 3 and delta 0"
            )
        }
    }
}

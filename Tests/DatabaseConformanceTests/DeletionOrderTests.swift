import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// All that may happen to an image with two copies between its deletions, in any order, against a plain account of it.
@Suite("Order of deletions")
struct DeletionOrderTests {
    @Test(
        "a copy is served, queued or gone, and images are given back with what they had",
        arguments: DatabaseUnderTest.all
    )
    func random(_ subject: DatabaseUnderTest) async throws {
        print("seed of the order of deletions on \(subject.testDescription): \(SeededGenerator.seed)")
        var generator = SeededGenerator()
        try await subject.withTables { tables in
            for number in 1...24 {
                var life = try await ImageWithCopies(number, tables)
                var story: [String] = []
                for _ in 0..<12 {
                    story.append(try await life.step(&generator))
                    let isRight = try await life.isRight()
                    #expect(isRight, "seed \(SeededGenerator.seed), image \(number): \(story)")
                    if !isRight { return }
                }
            }
        }
    }
}

private struct ImageWithCopies {
    private enum Copy: Equatable {
        case live, gone
        /// Let go of while the image was there.
        case dropped
        /// Let go of with the image, for the API's housekeeping or, later, for a scrubber.
        case queued, scheduled
    }

    private enum Life { case present, deleted, pending }

    private let id: ImageID
    private let tables: RegistryTables
    private let urls: [String]
    private var copies: [Copy] = [.live, .live]
    private var life = Life.present
    /// Whether nothing that the image was deleted with has gone, or was taken by a scrubber.
    private var isWhole = true
    /// What somebody took, however long ago.
    private var taken: [PendingDeletion] = []
    /// Each claim and pause is over at the next step.
    private var now = Timestamp.start
    private var wasRightlyAnswered = true

    init(_ number: Int, _ tables: RegistryTables) async throws {
        (id, self.tables) = (.numbered(number), tables)
        try await tables.createActive(Image(id: id, owner: "p"))
        try await tables.addCopy(of: id)
        urls = try await tables.show(id).locations.map(\.url)
    }

    private func places(_ wanted: Copy...) -> [String] { zip(urls, copies).filter { wanted.contains($1) }.map(\.0) }

    /// - Returns: what was done.
    mutating func step(_ generator: inout SeededGenerator) async throws -> String {
        now = now + 10_000
        let name =
            [
                "drop", "drop", "delete", "delete later", "restore", "undelete", "scrub", "claim", "finish", "postpone",
                "withdraw",
            ].randomElement(using: &generator) ?? "drop"
        switch name {
        case "drop": try await drop(Int.random(in: 0..<2, using: &generator))
        case "delete" where life == .present: try await delete(scrubAfter: nil)
        case "delete later" where life == .present: try await delete(scrubAfter: 100)
        case "restore":
            try await giveBack(life == .deleted && isWhole) { try await $0.tables.restore($0.id, at: $0.now) }
        case "undelete":
            try await giveBack(life == .pending && isWhole) { try await $0.tables.undelete($0.id, at: $0.now) }
        case "scrub": try await scrub()
        case "claim": try await take(try await tables.claim(at: now), places(.dropped, .queued))
        case "finish", "postpone", "withdraw":
            if let one = taken.randomElement(using: &generator) { try await report(name, one) }
        default: break
        }
        return name
    }

    private mutating func drop(_ index: Int) async throws {
        guard life == .present, copies == [.live, .live] else { return }
        var image = try await tables.show(id)
        image.locations.remove(at: index)
        let deletions = try await tables.relocate(image).deletions
        expect(deletions.map(\.url) == [urls[index]])
        taken += deletions
        copies[index] = .dropped
    }

    private mutating func delete(scrubAfter: Int64?) async throws {
        let deletions = try await tables.delete(id, scrubAfter: scrubAfter, at: now)
        expect(deletions.map(\.url) == (scrubAfter == nil ? places(.live) : []))
        taken += deletions
        copies = copies.map { $0 == .live ? (scrubAfter == nil ? .queued : .scheduled) : $0 }
        (life, isWhole) = (scrubAfter == nil ? .deleted : .pending, true)
    }

    private mutating func giveBack(_ isPossible: Bool, _ body: (Self) async throws -> Void) async throws {
        let me = self
        let code = await refusal { try await body(me) }
        expect(code == (isPossible ? nil : .wrongState))
        guard code == nil else { return }
        copies = copies.map { [.queued, .scheduled].contains($0) ? .live : $0 }
        life = .present
    }

    private mutating func scrub() async throws {
        try await take(try await tables.scrub(at: now).deletions, places(.dropped, .queued, .scheduled))
        if copies.contains(.scheduled) { isWhole = false }
        copies = copies.map { $0 == .scheduled ? .queued : $0 }
    }

    private mutating func take(_ deletions: [PendingDeletion], _ expected: [String]) async throws {
        let mine = deletions.filter { $0.image == id }
        expect(Set(mine.map(\.url)) == Set(expected))
        taken += mine
    }

    private mutating func report(_ name: String, _ deletion: PendingDeletion) async throws {
        guard let index = urls.firstIndex(of: deletion.url) else { return expect(false) }
        switch name {
        case "finish":
            try await tables.finishDeletions([deletion])
            if [.queued, .scheduled].contains(copies[index]) { isWhole = false }
            if copies[index] != .live { copies[index] = .gone }
        case "postpone": try await tables.postponeDeletions([deletion], at: now)
        default:
            try await tables.withdrawDeletions([deletion], at: now)
            if life == .present, copies[index] == .dropped { copies[index] = .live }
        }
    }

    private mutating func expect(_ isRight: Bool) {
        if !isRight { wasRightlyAnswered = false }
    }

    /// Whether the record, the queue and the figures say what has happened.
    func isRight() async throws -> Bool {
        var expected: [String]? = places(.live)
        if life != .present { expected = nil }
        var served: [String]?
        do {
            served = try await tables.show(id).locations.map(\.url)
        } catch let error as RegistryError where error.code == .notFound {
            served = nil
        }
        let queued = try await tables.count(
            "image_locations WHERE image_id = ? AND state = 'deleting'",
            [.text(id.text)]
        )
        let usage = try await tables.usage(of: "p")
        let counted = try await PlainUsage.of("p", tables)
        return wasRightlyAnswered && served == expected && usage == counted
            && queued == Int64(places(.dropped, .queued, .scheduled).count)
    }
}

import ImageModel
import RegistryContract
import RegistryDatabase
import Testing

/// Idempotency keys and the answers they stand for.
@Suite("Applied write table")
struct AppliedWriteTableTests {
    private let key = "0123456789abcdef"

    private struct Unused: Error {}

    /// What a repetition is told; `nil` for a key that nobody used, which stays unused.
    private func answer(_ key: String, _ binding: String, _ tables: RegistryTables) async throws -> [UInt8]? {
        do {
            return try await tables.database.write { connection in
                guard let answer = try AppliedWriteTable(connection).claim(key, binding: binding, at: .start) else {
                    throw Unused()
                }
                return answer
            }
        } catch is Unused {
            return nil
        }
    }

    private func record(
        _ answer: [UInt8],
        _ key: String,
        _ binding: String,
        at now: Timestamp,
        _ tables: RegistryTables
    ) async throws {
        try await tables.database.write { connection in
            let applied = AppliedWriteTable(connection)
            #expect(try applied.claim(key, binding: binding, at: now) == nil)
            try applied.record(answer, for: key)
        }
    }

    @Test("a key answers what it answered first, byte by byte", arguments: DatabaseUnderTest.all)
    func sameAnswer(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            #expect(try await answer(key, "binding", tables) == nil)
            let first = Array("{\"name\":\"e\u{301} 🦅 \\u0000\"}".utf8)
            try await record(first, key, "binding", at: .start, tables)
            for _ in 0..<2 { #expect(try await answer(key, "binding", tables) == first) }
            #expect(try await answer(key.uppercased(), "binding", tables) == nil)
        }
    }

    @Test("a key that stood for something else is refused", arguments: DatabaseUnderTest.all)
    func keyReused(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            try await record([0x31], key, "binding", at: .start, tables)
            #expect(await refusal { try await answer(key, "another", tables) } == .keyReused)
            #expect(try await answer(key, "binding", tables) == [0x31])
        }
    }

    @Test("what is sent many times at once is applied once, and answered alike", arguments: DatabaseUnderTest.all)
    func atOnce(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let key = key
            let answers = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for number in UInt8(1)...20 {
                    group.addTask {
                        try await tables.database.write { connection in
                            let applied = AppliedWriteTable(connection)
                            if let answer = try applied.claim(key, binding: "binding", at: .start) { return answer }
                            // Taken by whoever comes second, had the key not kept it back.
                            _ = try ImageTable(connection).create(Image(id: .numbered(1)), at: .start)
                            try applied.record([number], for: key)
                            return [number]
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count == 20)
            #expect(Set(answers).count == 1)
        }
    }

    @Test("a write that failed leaves its key free", arguments: DatabaseUnderTest.all)
    func failedWrite(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            let code = await refusal {
                try await tables.database.write { connection in
                    let applied = AppliedWriteTable(connection)
                    #expect(try applied.claim(key, binding: "binding", at: .start) == nil)
                    try applied.record([0x31], for: key)
                    throw RegistryError(.wrongState, "changed its mind")
                }
            }
            #expect(code == .wrongState)
            let kept = try await answer(key, "another", tables)
            #expect(kept == nil)
        }
    }

    @Test("old keys are forgotten, the oldest first and so many at a time", arguments: DatabaseUnderTest.all)
    func forget(_ subject: DatabaseUnderTest) async throws {
        try await subject.withTables { tables in
            for number in 0..<6 {
                try await record([0x31], "key \(number)", "binding", at: .start + Int64(5 - number), tables)
            }
            func hasEntries(before seconds: Int64) async throws -> Bool {
                try await tables.database.read { try AppliedWriteTable($0).hasEntries(before: .start + seconds) }
            }
            func forget(before seconds: Int64, limit: Int64 = 1_000) async throws -> Int {
                try await tables.database.write { connection in
                    try AppliedWriteTable(connection).forget(before: .start + seconds, limit: limit)
                }
            }
            func remembered() async throws -> [Int] {
                var numbers: [Int] = []
                for number in 0..<6 where try await answer("key \(number)", "binding", tables) != nil {
                    numbers.append(number)
                }
                return numbers
            }
            #expect(try await hasEntries(before: 0) == false)
            #expect(try await forget(before: 0) == 0)
            #expect(try await hasEntries(before: 1))
            #expect(try await forget(before: 4, limit: 3) == 3)
            #expect(try await remembered() == [0, 1, 2])
            #expect(try await forget(before: 4) == 1)
            #expect(try await remembered() == [0, 1])
            #expect(try await hasEntries(before: 4) == false)
            #expect(try await forget(before: 99) == 2)
            #expect(try await remembered() == [])
        }
    }
}

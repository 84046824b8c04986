import NIOCore
import StoreLayer
import Testing

/// A call to a store's server that fails, gets lost or hangs, whichever it is: nothing half done is ever seen, and what it
/// left goes with the attempt.
@Suite("Faulty calls")
struct FaultyCallTests {
    private static let bytes = pattern(12_345)

    /// - Returns: `nil` where `body` fails as it may in front of a faulty server.
    private func attempt<Value>(_ body: () async throws -> Value) async throws -> Value? {
        do {
            return try await body()
        } catch let error as StoreError where error.isRetryable {
            #expect([.unavailable, .timedOut].contains(error.code), "\(error)")
            return nil
        }
    }

    /// What failed is done once more, as there is one fault at a time.
    private func again(_ body: () async throws -> Void) async throws {
        if try await attempt(body) == nil { try await body() }
    }

    /// Puts data in, reads it and deletes it, with one fault on the way; everything that failed is done again as the
    /// service would. Checks that the data was whole or not there at all, and that nothing is left.
    ///
    /// - Returns: Whether there was a call of that number.
    private func live(_ store: MultipartStore, _ fault: MultipartServer.Fault, atCall number: Int) async throws -> Bool
    {
        let server = store.server
        server.plan(fault, atCall: number)
        let location = try await store.intend("object", attempt: "a", size: nil)
        let written = try await attempt {
            try await store.write(location, size: nil, body: Body(Self.bytes), mayStillPublish: { true })
        }
        if let written {
            #expect(written.byteCount == Int64(Self.bytes.readableBytes))
            try await again { try await store.confirm(location) }
            try await again {
                let read = try await store.get(location.url)
                #expect(read == Self.bytes)
            }
            do {
                try await again { try await store.delete(location.url, identity: written.identity) }
            } catch let error as StoreError {
                // The first call's answer was lost.
                #expect(error.code == .notFound)
            }
        } else {
            try await again { try await store.discard(location) }
        }
        #expect(server.names == [], "fault at call \(number)")
        return server.calls >= number
    }

    @Test(
        "at any call, a fault leaves all or nothing",
        arguments: [.fails(.unavailable), .losesAnswer(.unavailable), .hangs] as [MultipartServer.Fault]
    )
    func everyCall(_ fault: MultipartServer.Fault) async throws {
        let store = MultipartStore("m", MultipartServer(patience: .milliseconds(2)))
        var number = 1
        while try await live(store, fault, atCall: number) {
            number += 1
            try #require(number < 100)
        }
        // Mark, create, three parts, complete, confirm, read, delete: nine calls.
        #expect(number == 10)
    }

    @Test("a server that never answers times every call out", .timeLimit(.minutes(10)))
    func silence() async throws {
        let store = MultipartStore("m", MultipartServer(patience: .milliseconds(20)))
        let (location, _) = try await store.put(Self.bytes, isConfirmed: false)
        store.server.plan(.hangs)
        let calls: [@Sendable () async throws -> Void] = [
            { _ = try await store.open(location.url, range: nil) },
            { try await store.delete(location.url, identity: nil) },
            { try await store.confirm(location) },
            { try await store.discard(location) },
            { _ = try await store.leftovers() },
            { try await store.put(Self.bytes, "next", attempt: "b") },
        ]
        for call in calls {
            let error = await #expect(throws: StoreError.self) { try await call() }
            #expect(error?.code == .timedOut)
        }
        store.server.plan(nil)
        #expect(try await store.get(location.url) == Self.bytes)
    }
}

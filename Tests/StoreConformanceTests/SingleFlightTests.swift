import StoreLayer
import Testing

/// Calls that many want at once.
@Suite("Single flight", .timeLimit(.minutes(10)))
struct SingleFlightTests {
    private let flights = SingleFlight<String, Int>()

    private func wait(for count: Int, of key: String = "a") async {
        while flights.waiterCount(of: key) != count { await Task.yield() }
    }

    /// Asks as many at once, and lets the call end when all wait.
    private func ask(_ count: Int, _ calls: Counter, _ result: Result<Int, StoreError>) async -> [Result<
        Int, StoreError
    >] {
        let gate = Gate()
        return await withTaskGroup(of: Result<Int, StoreError>.self) { [flights] group in
            for _ in 0..<count {
                group.addTask {
                    do throws(StoreError) {
                        return .success(
                            try await flights.value(of: "a") { () async throws(StoreError) in
                                calls.add(1)
                                await gate.pass()
                                return try result.get()
                            }
                        )
                    } catch {
                        return .failure(error)
                    }
                }
            }
            await wait(for: count)
            gate.open()
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test("who asks while a call is under way has its result, and the next asks anew")
    func shared() async throws {
        let calls = Counter()
        for round in 1...3 {
            let results = await ask(50, calls, .success(round))
            #expect(try results.map { try $0.get() } == Array(repeating: round, count: 50))
            #expect(calls.value == round)
        }
    }

    @Test("a failure is everybody's, and is not remembered")
    func failure() async throws {
        let calls = Counter()
        let failed = await ask(9, calls, .failure(StoreError(.notFound, "Image data not found")))
        for result in failed {
            let error = #expect(throws: StoreError.self) { try result.get() }
            #expect(error?.code == .notFound)
        }
        #expect(try await ask(1, calls, .success(7)).first?.get() == 7)
        #expect(calls.value == 2)
    }

    @Test("calls of other keys are others")
    func keys() async throws {
        let gate = Gate()
        let slow = Task { [flights] in
            try await flights.value(of: "slow") { () async throws(StoreError) in
                await gate.pass()
                return 1
            }
        }
        await wait(for: 1, of: "slow")
        #expect(try await flights.value(of: "quick") { () async throws(StoreError) in 2 } == 2)
        gate.open()
        #expect(try await slow.value == 1)
    }

    @Test("who gives up leaves at once, and the last one ends the call")
    func givingUp() async throws {
        let (ended, calls) = (Gate(), Counter())
        let waiting = (0..<3).map { _ in
            Task { [flights] in
                try await flights.value(of: "a") { () async throws(StoreError) in
                    calls.add(1)
                    // Cancelled by whoever leaves last.
                    try? await Task.sleep(for: .seconds(3_600))
                    ended.open()
                    return 1
                }
            }
        }
        await wait(for: 3)
        for (number, task) in waiting.enumerated() {
            #expect(!ended.isOpen)
            task.cancel()
            let error = await #expect(throws: StoreError.self) { try await task.value }
            #expect(error?.code == .unavailable)
            #expect(flights.waiterCount(of: "a") == 2 - number)
        }
        await ended.pass()
        #expect(calls.value == 1)
        // Whoever was cancelled before does not wait at all.
        let late = Task { [flights] in
            withUnsafeCurrentTask { $0?.cancel() }
            return try await flights.value(of: "a") { () async throws(StoreError) in
                try? await Task.sleep(for: .seconds(3_600))
                return 2
            }
        }
        await #expect(throws: StoreError.self) { try await late.value }
    }
}

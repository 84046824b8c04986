import StoreLayer
import Testing

@Suite("Worker threads")
struct WorkerThreadsTests {
    struct Failure: Error {}

    @Test("work gives its value or its error")
    func outcomes() async {
        let threads = WorkerThreads(count: 2)
        #expect(await threads.run { 7 } == 7)
        await #expect(throws: Failure.self) { try await threads.run { () throws(Failure) in throw Failure() } }
    }

    @Test("work that was given is done, also for a cancelled task and when nobody has the threads any more")
    func completion() async {
        let done = Counter()
        let last = await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            let threads = WorkerThreads(count: 1)
            for _ in 0..<9 { _ = threads.start { done.next() } }
            return threads.start { done.next() }
        }.value
        #expect(await last.value() == 10)
    }

    @Test("no more threads than were asked for work at once")
    func bound() async {
        let threads = WorkerThreads(count: 3)
        let running = Counter()
        let most = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<30 {
                group.addTask {
                    await threads.run {
                        most.raise(to: running.next())
                        sleepBriefly(microseconds: 1_000)
                        running.add(-1)
                    }
                }
            }
        }
        #expect((1...3).contains(most.value))
    }
}

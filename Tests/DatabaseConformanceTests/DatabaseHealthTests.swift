import RegistryDatabase
import ServiceKit
import Testing

/// What a balancer is told of a registry's database.
@Suite("Database health")
struct DatabaseHealthTests {
    @Test(
        "one that answers is fine; one whose readers all stand still is not, and tells so in time",
        arguments: DatabaseUnderTest.all
    )
    func health(_ subject: DatabaseUnderTest) async throws {
        try await subject.withDatabase(oneWriter: true) { database in
            #expect(await database.fault(within: .seconds(60)) == nil)
            let gate = Gate()
            let readers = 8
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<readers {
                    group.addTask {
                        try await database.read { connection in
                            _ = try connection.query("SELECT 1", []) { _ in true }
                            gate.pass()
                        }
                    }
                }
                // Once all threads that read are at the gate, which nobody but this test opens.
                #expect(
                    try await eventually {
                        await database.fault(within: .milliseconds(200))?.reason == "DATABASE STALLED"
                    }
                )
                for _ in 0..<readers { gate.open() }
                try await group.waitForAll()
            }
            #expect(await database.fault(within: .seconds(60)) == nil)
            await database.close()
            #expect(await database.fault()?.reason == "DATABASE")
        }
    }
}

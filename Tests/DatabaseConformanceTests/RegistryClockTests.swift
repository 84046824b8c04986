import ImageModel
import RegistryDatabase
import ServiceKit
import Testing

/// What time it is for registries whose machines do not agree about it.
@Suite("The registries' clock")
struct RegistryClockTests {
    /// Far more than any machine takes for this test.
    private static let hour = Duration.seconds(3_600)

    private func distance(_ one: Timestamp, _ other: Timestamp) -> Duration {
        .microseconds((one.microseconds - other.microseconds).magnitude)
    }

    @Test(
        "all agree on a server's, whatever their machines' clocks say and do",
        .enabled(if: PostgreSQLServer.shared != nil, "GLANCE_TEST_POSTGRESQL is not set")
    )
    func shared() async throws {
        try await DatabaseUnderTest.postgresql.withDatabase(oneWriter: false) { database in
            let clocks = [Self.hour, .zero - Self.hour].map { apart in
                RegistryClock { Timestamp.now.advanced(by: apart) }
            }
            let differences = try await database.read { connection in try clocks.map { try $0.follow(connection) } }
            #expect(distance(clocks[0].now, clocks[1].now) < .seconds(60))
            // How far each is off is told.
            for (found, apart) in zip(differences, [Self.hour, .zero - Self.hour]) {
                guard let found else { continue }  // The server took more than a second to answer.
                #expect(
                    distance(Timestamp(seconds: 0).advanced(by: found), Timestamp(seconds: 0).advanced(by: apart))
                        < .seconds(60)
                )
            }
            // Looking again finds nothing new, and time goes on.
            let before = clocks[0].now
            try await database.read { connection in _ = try clocks[0].follow(connection) }
            let after = clocks[0].now
            #expect(before < after)
            #expect(distance(before, after) < .seconds(60))
        }
    }

    @Test("with a file it is the machine's own")
    func own() async throws {
        try await DatabaseUnderTest.sqlite.withDatabase(oneWriter: false) { database in
            let clock = RegistryClock { Timestamp(seconds: 1_000) }
            let difference = try await database.read { try clock.follow($0) }
            #expect(difference == nil)
            #expect(clock.now == Timestamp(seconds: 1_000))
        }
    }
}

public import Logging
public import ServiceKit

/// Opens the database that `[database]` names.
public struct ConfiguredDatabase: Sendable {
    /// Who opens it.
    public enum User: Sendable {
        /// The service: refused when another has the same SQLite file.
        case service
        /// A tool that works beside the service, with two connections at most.
        case tool
    }

    private let configuration: ServiceConfiguration
    private let program: String
    private let user: User
    private let logger: Logger

    /// - Parameter program: its name, which PostgreSQL shows in `pg_stat_activity`.
    public init(_ configuration: ServiceConfiguration, program: String, user: User, logger: Logger) {
        self.configuration = configuration
        self.program = program
        self.user = user
        self.logger = logger
    }

    /// - Throws: `ConfigurationError` or ``DatabaseError`` with a sentence for the operator, in which there is no password.
    public func open() async throws -> any Database {
        switch try DatabaseOptions.location(in: configuration) {
        case .sqlite(let path):
            return try SQLiteDatabase(
                path: path,
                readers: user == .service ? try configuration.value(of: DatabaseOptions.poolSize) : 1,
                exclusiveService: user == .service,
                limits: try limits(),
                onSlowQuery: report
            )
        case .postgresql(let url):
            let database = try PostgreSQLDatabase(try settings(url))
            do {
                try await database.requireReachable(
                    retries: try count(DatabaseOptions.startRetries),
                    interval: .seconds(try configuration.value(of: DatabaseOptions.startInterval))
                ) { error in
                    logger.warning("The database is not there yet", metadata: ["error": "\(error.message)"])
                }
            } catch {
                await database.close()
                throw error
            }
            return database
        }
    }

    private func settings(_ url: String) throws -> PostgreSQLSettings {
        let more = try configuration.value(of: DatabaseOptions.connectionParameters)
        var settings = PostgreSQLSettings(try PostgreSQLAddress(url: url, adding: more, program: program))
        if user == .service {
            settings.connections = try configuration.value(of: DatabaseOptions.poolSize)
            settings.overflow = try configuration.value(of: DatabaseOptions.overflow)
        } else {
            settings.connections = 2
            settings.overflow = 0
        }
        settings.lifetime = try count(DatabaseOptions.lifetime).map { .seconds($0) }
        settings.retries = try count(DatabaseOptions.transactionRetries)
        settings.limits = try limits()
        settings.onSlowQuery = report
        let logger = logger
        settings.onShortage = { error in
            logger.warning(
                "The database let in no further connection; requests wait for those that there are",
                metadata: ["error": "\(error.message)"]
            )
        }
        return settings
    }

    private func limits() throws -> DatabaseLimits {
        DatabaseLimits(patience: .seconds(try configuration.value(of: DatabaseOptions.poolTimeout)))
    }

    /// -1 stands for any number.
    private func count(_ option: ConfigurationOption<Int>) throws -> Int? {
        let value = try configuration.value(of: option)
        return value < 0 ? nil : value
    }

    /// Nobody waits for a tool's statements; some of them wait for each other.
    private var report: SlowQueryReport? {
        guard user == .service else { return nil }
        let logger = logger
        return { sql, duration in
            logger.warning("A slow statement", metadata: ["sql": "\(sql)", "duration": "\(duration)"])
        }
    }
}

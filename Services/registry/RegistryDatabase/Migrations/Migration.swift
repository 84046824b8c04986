public import ImageModel

/// One step of the schema's history. Once released it is never edited, removed or renumbered: what it did wrong, the
/// next one puts right.
public struct Migration: Sendable {
    /// Ascending from 1; gaps are allowed.
    public var number: Int
    /// What it does, in a few words; recorded beside the number.
    public var name: String
    public var phase: Phase
    /// What is done, in this order. Where a write keeps all others waiting it is one transaction; in an ``OnlineDatabase``
    /// each step is recorded with what it did, and a run that was broken off goes on behind the last one.
    public var steps: @Sendable (SQLDialect) -> [MigrationStep]

    public init(
        number: Int,
        name: String,
        phase: Phase,
        steps: @escaping @Sendable (SQLDialect) -> [MigrationStep]
    ) {
        self.number = number
        self.name = name
        self.phase = phase
        self.steps = steps
    }

    /// One step of statements without values; may be empty.
    public init(number: Int, name: String, phase: Phase, sql: @escaping @Sendable (SQLDialect) -> String) {
        self.init(number: number, name: name, phase: phase) { [.statements(sql($0))] }
    }

    /// What the programs of the release before make of it.
    public enum Phase: String, Sendable {
        /// Adds only: they go on working beside it.
        case expand
        /// Takes away what they need: none of them may run any more.
        case contract
    }
}

/// A migration that a database has been through, as it recorded it.
public struct AppliedMigration: Sendable, Equatable {
    public var number: Int
    public var name: String
    public var phase: Migration.Phase
    public var appliedAt: Timestamp

    public init(number: Int, name: String, phase: Migration.Phase, appliedAt: Timestamp) {
        self.number = number
        self.name = name
        self.phase = phase
        self.appliedAt = appliedAt
    }
}

/// Where a database stands.
public struct MigrationStatus: Sendable {
    /// Everything it has been through, ascending.
    public var applied: [AppliedMigration]
    /// What this program would apply, ascending.
    public var pending: [Migration]
    /// What it has been through and this program does not know, ascending: a later program was there.
    public var unknown: [AppliedMigration]

    /// The highest number applied; 0 for an empty database.
    public var version: Int { applied.last?.number ?? 0 }
}

/// Why a database's schema does not suit this program.
public struct MigrationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A sentence for the operator.
    public var message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}

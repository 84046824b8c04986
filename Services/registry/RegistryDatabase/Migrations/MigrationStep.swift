/// A part of a migration that is done, or not, as a whole.
public enum MigrationStep: Sendable {
    /// Statements without values. They lock the tables that they change, for writers or for everybody: they have to be
    /// quick, however many rows there are, and concern one table of those that are written all the time.
    case statements(String)
    /// Fills in what the rows that are there lack. What is written meanwhile has to be complete already.
    case filling(Filling)
    /// An index; one of the same name is replaced.
    case index(Index)

    /// Rows by the hundred, each time in a transaction of its own.
    public struct Filling: Sendable {
        public var table: String
        /// A column of texts without NULL, by which an index orders the table. Rows that have it in common stay together.
        public var key: String
        /// The statement for a part of the table, from the condition that says which part.
        public var statement: @Sendable (_ rows: String) -> String

        public init(_ table: String, by key: String, _ statement: @escaping @Sendable (_ rows: String) -> String) {
            self.table = table
            self.key = key
            self.statement = statement
        }
    }

    public struct Index: Sendable {
        public var name: String
        public var table: String
        /// What follows the table's name: columns, and perhaps a condition.
        public var definition: String

        public init(_ name: String, on table: String, _ definition: String) {
            self.name = name
            self.table = table
            self.definition = definition
        }

        var sql: String { "DROP INDEX IF EXISTS \(name); CREATE INDEX \(name) ON \(table) \(definition);" }
    }

    /// The same as a script, for a transaction in which nobody has to be minded.
    var sql: String {
        switch self {
        case .statements(let sql): sql
        case .filling(let filling): filling.statement("TRUE")
        case .index(let index): index.sql
        }
    }
}

/// What really differs between the databases, as pieces of SQL. Placeholders do not: statements have `?` everywhere,
/// and a driver rewrites them where its database wants something else. `TEXT`, `INTEGER` (32 bits at least) and
/// `BIGINT` (64 bits) are types everywhere.
public struct SQLDialect: Sendable, Equatable {
    public enum Name: String, Sendable {
        case sqlite
        case postgresql
    }

    public var name: Name

    /// Function of names and values in turn: a JSON object.
    public var jsonObject: String
    /// Aggregate of (name, value): a JSON object.
    public var jsonObjectAggregate: String
    /// Function of any number of values: a JSON array.
    public var jsonArray: String
    /// Aggregate of a value: a JSON array.
    public var jsonArrayAggregate: String

    /// A table expression with one placeholder, the text of a JSON array: its elements as rows (`position`, `element`);
    /// `element ->> 'name'` is the text of an element's member.
    public var jsonElements: String

    public var blobType: String
    /// Type and constraint of a column that numbers its rows, ascending and never reused.
    public var autoIncrementPrimaryKey: String
    /// Ends a `CREATE TABLE` whose rows are to be stored in the order of their primary key, where that is possible.
    public var withoutRowID: String

    /// Ends a subquery that is to be asked for every row alone, and not made a join.
    public var fence: String
    /// Between queries that are each in the order of the whole, and have no row in common. PostgreSQL then takes rows from
    /// each in turn, and no more than are wanted; SQLite would sort each.
    public var disjointUnion: String
    /// Whether the condition of a partial index has to be written out for it to be used, though it follows from others.
    public var namesPartialIndexes: Bool
    /// Behind a column or an expression: compared byte by byte, the same order everywhere.
    public var byteOrder: String
    /// Ends a `SELECT` whose rows the transaction is going to change; empty where a write transaction is alone anyway.
    public var forUpdate: String

    /// A query with one placeholder that answers one row when a table of that name exists.
    public var tableExists: String
    /// A query for the texts that are compared by the rules of some language instead of byte by byte, as table and column;
    /// `nil` where there can be none. Migrations write `TEXT`, and what they add is then changed to ``byteOrder``.
    public var localizedTexts: String?
    /// A query for what time it is by the database's own clock, in microseconds since 1970; `nil` where it has none.
    public var clock: String?

    /// A condition: whether a text is digits, perhaps followed by a point and more digits.
    ///
    /// - Parameter text: a column that is not NULL.
    public func isDecimal(_ text: String) -> String {
        switch name {
        case .sqlite:
            "\(text) GLOB '[0-9]*' AND \(text) NOT GLOB '*[^0-9.]*' AND \(text) NOT GLOB '*.*.*' AND \(text) NOT GLOB '*.'"
        case .postgresql: "\(text) ~ '^[0-9]+([.][0-9]+)?$'"
        }
    }

    public static let sqlite = SQLDialect(
        name: .sqlite,
        jsonObject: "json_object",
        jsonObjectAggregate: "json_group_object",
        jsonArray: "json_array",
        jsonArrayAggregate: "json_group_array",
        jsonElements: "(SELECT key AS position, value AS element FROM json_each(?))",
        blobType: "BLOB",
        autoIncrementPrimaryKey: "INTEGER PRIMARY KEY AUTOINCREMENT",
        withoutRowID: " WITHOUT ROWID",
        fence: "",
        disjointUnion: "UNION",
        namesPartialIndexes: true,
        byteOrder: "COLLATE BINARY",
        forUpdate: "",
        tableExists: "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?",
        localizedTexts: nil,
        clock: nil
    )

    public static let postgresql = SQLDialect(
        name: .postgresql,
        jsonObject: "json_build_object",
        jsonObjectAggregate: "json_object_agg",
        jsonArray: "json_build_array",
        jsonArrayAggregate: "json_agg",
        jsonElements: """
            (SELECT ordinality AS position, value AS element
            FROM json_array_elements(CAST(? AS json)) WITH ORDINALITY)
            """,
        blobType: "BYTEA",
        autoIncrementPrimaryKey: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        withoutRowID: "",
        fence: " OFFSET 0",
        disjointUnion: "UNION ALL",
        namesPartialIndexes: false,
        byteOrder: "COLLATE \"C\"",
        forUpdate: " FOR UPDATE",
        tableExists: "SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = ?",
        localizedTexts: """
            SELECT c.relname, a.attname
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation l ON l.oid = a.attcollation
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
                AND a.atttypid = 'text'::regtype AND a.attnum > 0 AND NOT a.attisdropped AND l.collname <> 'C'
            ORDER BY c.relname, a.attnum
            """,
        clock: "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
    )
}

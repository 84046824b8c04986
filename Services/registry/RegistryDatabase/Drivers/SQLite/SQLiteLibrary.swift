internal import CSQLite

/// What is settled for the whole process before the first file is opened.
enum SQLiteLibrary {
    /// SQLite would count each allocation under a lock that all connections share; nobody asks for the figures.
    static let isReady: Void = {
        // Refused once the library is in use; then it counts, and works all the same.
        _ = glance_sqlite3_config_memstatus(0)
    }()
}

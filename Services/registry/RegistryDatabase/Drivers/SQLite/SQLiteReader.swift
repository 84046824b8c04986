/// Serves reads on one connection, each in a transaction of its own, until the line is closed.
struct SQLiteReader {
    let connection: SQLiteConnection
    let line: WaitingLine

    func serve() {
        while let job = line.next() {
            do {
                try read(job)
                job.succeed()
            } catch {
                job.fail(error)
            }
        }
        connection.close()
    }

    private func read(_ job: any DatabaseJob) throws {
        while true {
            do {
                try connection.control("BEGIN")
                try connection.perform(job)
                return try connection.control("COMMIT")
            } catch let error as DatabaseError where error.code == .busy && MonotonicTime.now < job.deadline {
                // Another process was recovering or closing the database; SQLite has waited a while already.
                connection.rollBack()
            } catch {
                connection.rollBack()
                throw error
            }
        }
    }
}

internal import Glibc
public import StoreLayer

/// The bytes of a resumable upload are in the attempt's temporary file, each where it belongs; holes are what has not come.
extension FileStore: ResumableStore {
    public func beginPartial(_ location: IntendedLocation, size: Int64?) async throws(StoreError) -> any PartialData {
        let files = try files(location)
        let file = try await call { () throws(StoreError) in
            let file = try files.begin(size: size)
            try file.claim()
            try translating(StoreError.init(writing:)) { () throws(SystemCallError) in
                // The session is recorded by now: after a crash its file must be there.
                try OpenFile.syncDirectory(files.directory.uploads)
            }
            return file
        }
        return PartialFile(file, files, options, threads, isPublished: false)
    }

    public func resumePartial(_ location: IntendedLocation) async throws(StoreError) -> any PartialData {
        let files = try files(location)
        let (file, isPublished) = try await call { () throws(StoreError) in
            let file: OpenFile
            do throws(StoreError) {
                file = try translating(StoreError.init(reading:)) { () throws(SystemCallError) in
                    try OpenFile(files.temporary, O_RDWR)
                }
            } catch {
                if error.code == .notFound { try files.directory.requirePresence() }
                throw error
            }
            // Whoever had it in this process may be about to let go.
            try file.claim(patience: .milliseconds(500))
            // Looked at with the lock held, which whoever publishes has until the name is given.
            let isPublished = try translating(StoreError.init(reading:)) { () throws(SystemCallError) in
                try files.hasFinalName(file)
            }
            // Nobody writes any more, and a discard has to be able to remove it.
            if isPublished { file.unlock() }
            return (file, isPublished)
        }
        return PartialFile(file, files, options, threads, isPublished: isPublished)
    }
}

extension OpenFile {
    /// Keeps other processes away as long as the file is open, or until it has its final name.
    fileprivate func claim(patience: Duration = .zero) throws(StoreError) {
        do throws(SystemCallError) {
            try lock(patience: patience)
        } catch {
            guard error.number == EWOULDBLOCK else { throw StoreError(writing: error) }
            throw StoreError(.inUse, "Another process takes this upload's data", cause: error)
        }
    }
}

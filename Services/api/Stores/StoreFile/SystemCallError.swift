internal import Glibc
package import StoreLayer

/// A system call that failed; for the log.
package struct SystemCallError: Error, CustomStringConvertible {
    package var call: String
    package var path: String
    package var number: Int32

    package init(_ call: String, _ path: String, number: Int32) {
        self.call = call
        self.path = path
        self.number = number
    }

    package var description: String { "\(call) \(path): \(String(cString: strerror(number)))" }
}

/// Calls until a signal no longer gets between. `errno` is read at once, for anything may change it.
///
/// - Parameter body: A system call that answers -1 when it failed.
@discardableResult
func system<Result: FixedWidthInteger & SignedInteger>(
    _ call: String,
    _ path: String,
    _ body: () -> Result
) throws(SystemCallError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        let number = errno
        if number != EINTR { throw SystemCallError(call, path, number: number) }
    }
}

/// Makes system calls, and says what it means when one fails.
func translating<Value>(
    _ translate: (SystemCallError) -> StoreError,
    _ calls: () throws(SystemCallError) -> Value
) throws(StoreError) -> Value {
    do throws(SystemCallError) {
        return try calls()
    } catch {
        throw translate(error)
    }
}

/// What the codes mean depends on what was being done (Image API v2, Upload and Delete; glance_store filesystem driver).
extension StoreError {
    package init(writing error: SystemCallError) {
        switch error.number {
        case ENOSPC, EDQUOT, EFBIG: self.init(.full, "Image storage media is full", cause: error)
        case EACCES, EPERM, EROFS:
            self.init(.writeDenied, "Insufficient permissions on image storage media", cause: error)
        // The directory is not mounted, or was moved away.
        case ENOENT, ENOTDIR: self.init(.unavailable, "The image store is not available", cause: error)
        default: self.init(any: error)
        }
    }

    package init(reading error: SystemCallError) {
        switch error.number {
        // The last component is a symbolic link: nothing that a store put there.
        case ENOENT, ENOTDIR, ELOOP: self.init(.notFound, "Image data not found", cause: error)
        case EACCES, EPERM: self.init(.forbidden, "You cannot read file of image", cause: error)
        default: self.init(any: error)
        }
    }

    package init(deleting error: SystemCallError) {
        switch error.number {
        case ENOENT, ENOTDIR, ELOOP: self.init(.notFound, "Image data not found", cause: error)
        case EACCES, EPERM, EROFS: self.init(.forbidden, "You cannot delete file of image", cause: error)
        default: self.init(any: error)
        }
    }

    private init(any error: SystemCallError) {
        switch error.number {
        // A network file system whose server is away.
        case ESTALE, ETIMEDOUT, EHOSTDOWN, EHOSTUNREACH, ENOTCONN, EIO:
            self.init(.unavailable, "Image storage does not answer", cause: error)
        case EWOULDBLOCK: self.init(.timedOut, "Image data is being removed by somebody else", cause: error)
        case ENAMETOOLONG: self.init(.invalidLocation, "Invalid location", cause: error)
        default: self.init(.failed, "Image storage failed", cause: error)
        }
    }
}

extension StoreError {
    static let superseded = StoreError(.superseded, "The upload lost its right to this image")
    static let duplicate = StoreError(.alreadyExists, "Unable to upload duplicate image data")
    static let notFound = StoreError(.notFound, "Image data not found")
    static let invalidLocation = StoreError(.invalidLocation, "Invalid location")
}

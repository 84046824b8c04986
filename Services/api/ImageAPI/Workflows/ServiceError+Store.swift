internal import ImageModel
internal import StoreLayer

extension ServiceError {
    /// A store's failure while data was written (Image API v2, "Upload").
    init(_ error: StoreError) {
        let (code, message): (Code, String) =
            switch error.code {
            case .alreadyExists: (.conflict, "Unable to upload duplicate image data")
            case .sizeMismatch, .digestMismatch, .invalidLocation: (.invalidRequest, error.message)
            case .tooLarge: (.limitExceeded, error.message)
            case .full: (.limitExceeded, "Image storage media is full")
            case .writeDenied: (.unavailable, "Insufficient permissions on image storage media")
            case .addingDisabled: (.gone, "Adding images to store is disabled")
            case .superseded:
                (.gone, "The image may have been deleted during the upload, cleaning up the chunks uploaded.")
            case .forbidden: (.forbidden, error.message)
            case .inUse: (.conflict, error.message)
            case .notFound: (.gone, "The image data vanished")
            case .unsupported: (.invalidRequest, error.message)
            case .unavailable, .timedOut: (.unavailable, "The image store does not answer; try again later.")
            case .failed:
                (.internalError, "The server has either erred or is incapable of performing the requested operation.")
            }
        self.init(code, message, cause: error)
    }
}

internal import ImageModel
internal import Policy
internal import RegistryContract
internal import StoreLayer

/// Opens an image's data for a client: one exchange, then the store.
struct ImageDownload: Sendable {
    let registry: any RegistryClient
    let policy: ImagePolicy
    let catalogue: StoreCatalogue
    /// Whether whole downloads are held against the digest that was recorded (`verify_downloads`).
    let verifies: Bool
    /// Where that is computed.
    let digestThreads: WorkerThreads

    struct Opened: Sendable {
        var blob: any Blob
        /// The store that it was opened in.
        var store: String
    }

    /// The image, if the caller may have its data.
    ///
    /// - Parameter preferred: Stores that the caller would have the data read from; `nil` where the caller said nothing of
    ///   it.
    func find(
        _ id: ImageID,
        preferred: [String]? = nil,
        as caller: Caller,
        requestID: String
    ) async throws -> Image {
        let image = try await registry.image(id, as: caller, requestID: requestID)
        if image.status == .deactivated, !caller.isAdmin {
            try policy.require(.getImage, on: image, by: caller)
            throw ServiceError(
                .forbidden,
                "The requested image has been deactivated. Image data download is forbidden."
            )
        }
        try policy.require(.downloadImage, on: image, by: caller)
        if let preferred {
            try policy.require(.downloadFromStore, on: image, by: caller)
            try requireConfigured(preferred)
        }
        return image
    }

    /// - Parameters:
    ///   - part: The bytes wanted; all when `nil`.
    ///   - preferred: Stores to try first; others follow where these fail.
    ///
    /// Copies that are known to be damaged are not read (decision 0017).
    ///
    /// - Returns: `nil` when none of the data is left in any store.
    func open(_ image: Image, _ part: Range<Int64>?, preferred: [String]? = nil) async throws -> Opened? {
        var failure: StoreError?
        for location in catalogue.ordered(image.locations, preferred: preferred ?? []) {
            guard !image.damaged.contains(location.url) else {
                failure = StoreError(.failed, "The data is not what was stored there")
                continue
            }
            guard let store = catalogue.store(holding: StoreLocation(url: location.url, store: location.store)) else {
                failure = StoreError(.unavailable, "The store that holds the data is not configured here")
                continue
            }
            do throws(StoreError) {
                let blob = try await store.open(location.url, range: part)
                guard blob.totalByteCount == image.size else {
                    blob.close()
                    failure = StoreError(.failed, "The data has not the length that was recorded")
                    continue
                }
                return Opened(blob: blob, store: store.identifier)
            } catch {
                // A copy that is gone does not mean that the data is, while another may be mended or answer again.
                if error.code != .notFound || failure == nil { failure = error }
            }
        }
        if let failure, failure.code != .notFound { throw ServiceError(reading: failure) }
        return nil
    }

    /// - Throws: `invalidRequest`.
    private func requireConfigured(_ stores: [String]) throws(ServiceError) {
        guard catalogue.isMultiStore else {
            throw ServiceError(.invalidRequest, "Store selection for download is not available")
        }
        for store in stores where catalogue.store(store) == nil {
            throw ServiceError(.invalidRequest, "Store '\(store.prefix(255))' is not configured.")
        }
    }
}

extension ServiceError {
    /// A store's failure while data was to be read (Image API v2, "Download").
    fileprivate init(reading error: StoreError) {
        switch error.code {
        case .unavailable, .timedOut, .inUse:
            self.init(.unavailable, "The image store does not answer; try again later.", cause: error)
        case .forbidden:
            self.init(.forbidden, "The image data is at a location that may not be read.", cause: error)
        case .invalidLocation, .unsupported:
            self.init(.invalidRequest, "The image data cannot be read from its location.", cause: error)
        case .alreadyExists, .sizeMismatch, .digestMismatch, .tooLarge, .full, .writeDenied, .addingDisabled, .notFound,
            .superseded, .failed:
            self.init(
                .internalError,
                "The server has either erred or is incapable of performing the requested operation.",
                cause: error
            )
        }
    }
}

extension StoreCatalogue {
    /// Locations in the order in which they are read where the caller has preferences.
    func ordered(_ locations: [ImageLocation], preferred: [String]) -> [ImageLocation] {
        let ordered = ordered(locations)
        let isPreferred = { (location: ImageLocation) in location.store.map(preferred.contains) ?? false }
        return ordered.filter(isPreferred) + ordered.filter { !isPreferred($0) }
    }

    /// Locations in the order in which they are shown, counted and read.
    func ordered(_ locations: [ImageLocation]) -> [ImageLocation] {
        inReadingOrder(locations) { StoreLocation(url: $0.url, store: $0.store) }
    }
}

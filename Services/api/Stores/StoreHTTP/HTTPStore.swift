public import Fetching
public import StoreLayer

/// Data that somebody else serves by HTTP: it is read from there whenever it is asked for, and never written or deleted.
public struct HTTPStore: Store {
    public let identifier: String
    public let capabilities: StoreCapabilities = [.read, .readRanges, .externalLocations]
    public let details = StoreDetails(type: "http")
    private let fetcher: Fetcher
    /// A source that many name at the same time is asked once. What a URL answers does not depend on who named it.
    package let lengths = SingleFlight<String, Int64>()

    public init(_ identifier: String, fetcher: Fetcher) {
        self.identifier = identifier
        self.fetcher = fetcher
    }

    public func recognizes(_ url: String) -> Bool { FetchURL(url) != nil }

    public func byteCount(at url: String) async throws(StoreError) -> Int64 {
        let fetcher = fetcher
        return try await lengths.value(of: url) { () async throws(StoreError) in
            try await Self.byteCount(of: url, by: fetcher)
        }
    }

    private static func byteCount(of url: String, by fetcher: Fetcher) async throws(StoreError) -> Int64 {
        do throws(FetchError) {
            return try await fetcher.byteCount(of: url)
        } catch {
            throw StoreError(error)
        }
    }

    public func open(_ url: String, range: Range<Int64>?) async throws(StoreError) -> any Blob {
        do throws(FetchError) {
            return HTTPBlob(try await fetcher.open(url, range: range))
        } catch {
            throw StoreError(error)
        }
    }

    public func intend(_ object: String, attempt: String, size: Int64?) async throws(StoreError) -> IntendedLocation {
        throw StoreError(.addingDisabled, "Adding images to store is disabled")
    }

    public func write(
        _ location: IntendedLocation,
        size: Int64?,
        body: some ChunkSequence,
        mayStillPublish: @escaping @Sendable () -> Bool
    ) async throws -> StoredData {
        throw StoreError(.addingDisabled, "Adding images to store is disabled")
    }

    // An attempt at recording a location leaves nothing here.
    public func confirm(_ location: IntendedLocation) async throws(StoreError) {}
    public func discard(_ location: IntendedLocation) async throws(StoreError) {}
    public func leftovers() async throws(StoreError) -> [IntendedLocation] { [] }

    public func delete(_ url: String, identity: String?) async throws(StoreError) {
        guard recognizes(url) else { throw StoreError(.invalidLocation, "Invalid location") }
        throw StoreError(.unsupported, "This store deletes nothing")
    }
}

extension StoreError {
    fileprivate init(_ error: FetchError) {
        let code: Code =
            switch error.code {
            case .malformed, .badAnswer: .invalidLocation
            case .refused: .forbidden
            case .notFound: .notFound
            case .tooShort: .sizeMismatch
            case .unavailable: .unavailable
            }
        self.init(code, error.message, cause: error)
    }
}

public import ImageModel

/// The API's door to metadata. Safe for concurrent use; every call has a bound on how long it takes.
public protocol RegistryClient: Sendable {
    /// Asks the registry, repeating what may be repeated: reads freely, writes under one idempotency key.
    ///
    /// - Throws: the registry's own answer, or `unavailable` when none could be had.
    func call<Operation: RegistryOperation>(
        _ operation: Operation,
        as caller: Caller,
        requestID: String
    ) async throws(RegistryError) -> Operation.Response
}

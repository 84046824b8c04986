internal import ImageModel
internal import RegistryContract

/// The right to verify a copy, kept while it is being read.
actor CopyLease {
    private let registry: any RegistryClient
    private let renewal: RenewVerification
    private let pause: Duration
    private var nextRenewal: ContinuousClock.Instant

    init(registry: any RegistryClient, holder: Holder, copy: Int64, seconds: Int64) {
        self.registry = registry
        renewal = RenewVerification(holder: holder, id: copy)
        pause = .seconds(seconds) / 4
        nextRenewal = .now + pause
    }

    /// Renews it when it is time for that.
    ///
    /// - Throws: `CancellationError` when it was lost, for the copy is gone or another verifier's.
    func keep() async throws {
        guard .now >= nextRenewal else { return }
        nextRenewal = .now + pause
        // A registry that does not answer is no reason to stop: two that read the same harm nothing.
        let state = try? await registry.call(renewal, as: .service, requestID: "verify")
        if state?.isCurrent == false { throw CancellationError() }
    }
}

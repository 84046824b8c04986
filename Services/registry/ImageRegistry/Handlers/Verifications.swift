internal import ImageModel
internal import RegistryContract
internal import RegistryDatabase

extension RegistryHandlers {
    static let claimVerification = RegistryHandler<ClaimVerification> { operation, _, connection, context in
        let now = context.now()
        let until = now.advanced(by: context.verificationClaim)
        return NextCopy(
            copy: try VerificationTable(connection).claim(operation, until: until, at: now),
            leaseSeconds: context.verificationClaim.components.seconds
        )
    }

    static let renewVerification = RegistryHandler<RenewVerification> { operation, _, connection, context in
        let until = context.now().advanced(by: context.verificationClaim)
        return VerificationState(isCurrent: try VerificationTable(connection).renew(operation, until: until))
    }

    static let recordVerification = RegistryHandler<RecordVerification> { operation, _, connection, context in
        let now = context.now()
        let retryAt = now.advanced(by: context.verificationPause)
        return VerificationState(
            isCurrent: try VerificationTable(connection).record(operation, retryAt: retryAt, at: now)
        )
    }

    static let listDamage = RegistryHandler<ListDamage> { operation, _, connection, _ in
        try VerificationTable(connection).damage(ListDamage(after: operation.after, limit: min(operation.limit, 1_000)))
    }
}

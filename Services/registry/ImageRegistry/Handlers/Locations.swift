internal import ImageModel
internal import RegistryContract
internal import RegistryDatabase

extension RegistryHandlers {
    static let relocateImage = RegistryHandler<RelocateImage> { operation, caller, connection, context in
        let now = context.now()
        return try ImageTable(connection).relocate(
            operation.image,
            as: caller,
            holder: operation.holder,
            claimedUntil: now.advanced(by: context.deletionClaim),
            within: operation.limits,
            at: now
        )
    }

    static let recordDigests = RegistryHandler<RecordDigests> { operation, _, connection, context in
        try ImageTable(connection).record(operation, at: context.now())
        return Done()
    }
}

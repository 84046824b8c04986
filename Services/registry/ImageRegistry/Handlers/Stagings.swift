internal import ImageModel
internal import RegistryContract
internal import RegistryDatabase

extension RegistryHandlers {
    static let beginStaging = RegistryHandler<BeginStaging> { operation, caller, connection, context in
        let now = context.now()
        return try StagingTable(connection).begin(
            operation,
            as: caller,
            lease: context.uploadLease,
            claimedUntil: now.advanced(by: context.deletionClaim),
            at: now
        )
    }

    static let finishStaging = RegistryHandler<FinishStaging> { operation, _, connection, context in
        try StagingTable(connection).finish(operation, at: context.now())
    }
}

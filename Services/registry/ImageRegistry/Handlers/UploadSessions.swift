internal import ImageModel
internal import RegistryContract
internal import RegistryDatabase

extension RegistryHandlers {
    static let beginSession = RegistryHandler<BeginSession> { operation, caller, connection, context in
        let now = context.now()
        return try UploadSessionTable(connection).begin(
            operation,
            as: caller,
            lease: context.sessionLease,
            claimedUntil: now.advanced(by: context.deletionClaim),
            at: now
        )
    }

    static let extendSession = RegistryHandler<ExtendSession> { operation, caller, connection, context in
        try UploadSessionTable(connection).extend(
            operation,
            as: caller,
            lease: context.sessionLease,
            at: context.now()
        )
    }

    static let showSession = RegistryHandler<ShowSession> { operation, caller, connection, context in
        try UploadSessionTable(connection).show(operation, as: caller, at: context.now())
    }

    static let recordSession = RegistryHandler<RecordSession> { operation, _, connection, context in
        try UploadSessionTable(connection).record(operation, lease: context.sessionLease, at: context.now())
    }
}

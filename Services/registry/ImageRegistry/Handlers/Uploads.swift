internal import ImageModel
internal import RegistryContract
internal import RegistryDatabase

extension RegistryHandlers {
    static let beginUpload = RegistryHandler<BeginUpload> { operation, caller, connection, context in
        let now = context.now()
        return try UploadTable(connection).begin(
            operation,
            as: caller,
            lease: context.uploadLease,
            claimedUntil: now.advanced(by: context.deletionClaim),
            at: now
        )
    }

    static let renewUploads = RegistryHandler<RenewUploads> { operation, _, connection, context in
        HeldAttempts(
            held: try UploadTable(connection).renew(
                operation.attempts,
                holder: operation.holder,
                lease: context.uploadLease,
                at: context.now()
            )
        )
    }

    static let reserveUpload = RegistryHandler<ReserveUpload> { operation, _, connection, context in
        try UploadTable(connection).reserve(operation, at: context.now())
    }

    static let finishUpload = RegistryHandler<FinishUpload> { operation, _, connection, context in
        try UploadTable(connection).finish(operation, at: context.now())
    }

    static let abortUpload = RegistryHandler<AbortUpload> { operation, _, connection, context in
        try UploadTable(connection).abort(operation, at: context.now())
    }

    static let listProcesses = RegistryHandler<ListProcesses> { operation, _, connection, _ in
        HoldingProcesses(processes: try ProcessTable(connection).processes(besides: operation.holder))
    }

    static let releaseUploads = RegistryHandler<ReleaseUploads> { operation, _, connection, context in
        let processes = ProcessTable(connection), now = context.now()
        for process in operation.ended.prefix(Int(HoldingProcesses.limit)) {
            try processes.release(Holder(node: operation.holder.node, process: process), at: now)
        }
        return Done()
    }

    static let checkAttempts = RegistryHandler<CheckAttempts> { operation, _, connection, _ in
        try LocationTable(connection).states(of: operation.attempts)
    }
}

internal import ImageModel
internal import RegistryContract
internal import RegistryDatabase

extension RegistryHandlers {
    static let claimDeletions = RegistryHandler<ClaimDeletions> { operation, _, connection, context in
        let now = context.now()
        return PendingDeletions(
            deletions: try LocationTable(connection).claimDeletions(
                stores: operation.stores,
                holder: operation.holder,
                limit: min(operation.limit, 1_000),
                until: now.advanced(by: context.deletionClaim),
                at: now
            )
        )
    }

    static let claimScrubs = RegistryHandler<ClaimScrubs> { operation, _, connection, context in
        let now = context.now()
        var claim = operation
        claim.limit = min(claim.limit, 1_000)
        return try LocationTable(connection)
            .claimScrubs(claim, until: now.advanced(by: context.deletionClaim), at: now)
    }

    static let finishDeletions = RegistryHandler<FinishDeletions> { operation, _, connection, _ in
        try LocationTable(connection).finishDeletions(operation.ids)
        return Done()
    }

    static let withdrawDeletions = RegistryHandler<WithdrawDeletions> { operation, _, connection, context in
        try LocationTable(connection).withdrawDeletions(operation.ids, at: context.now())
        return Done()
    }

    static let postponeDeletions = RegistryHandler<PostponeDeletions> { operation, _, connection, context in
        try LocationTable(connection).postponeDeletions(operation.ids, at: context.now())
        return Done()
    }
}

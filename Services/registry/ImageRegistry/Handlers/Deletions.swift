internal import ImageModel
internal import RegistryContract
internal import RegistryDatabase

extension RegistryHandlers {
    static let claimDeletions = RegistryHandler<ClaimDeletions> { operation, _, connection, context in
        let now = context.now()
        let until = now.advanced(by: context.deletionClaim)
        let table = LocationTable(connection)
        return PendingDeletions(deletions: try table.claimDeletions(bounded(operation.claim), until: until, at: now))
    }

    static let claimScrubs = RegistryHandler<ClaimScrubs> { operation, _, connection, context in
        let now = context.now()
        let until = now.advanced(by: context.deletionClaim)
        return try LocationTable(connection)
            .claimScrubs(bounded(operation.claim), after: operation.after, until: until, at: now)
    }

    private static func bounded(_ claim: DeletionClaim) -> DeletionClaim {
        var claim = claim
        claim.limit = min(claim.limit, 1_000)
        return claim
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

internal import ImageModel
internal import RegistryContract
internal import RegistryDatabase
internal import WireJSON

extension RegistryHandlers {
    static let showImage = RegistryHandler<ShowImage>(writing: { operation, caller, connection, _, writer in
        try ImageTable(connection).write(operation.id, visibleTo: caller, to: &writer)
    })

    static let listImages = RegistryHandler<ListImages>(writing: { operation, caller, connection, context, writer in
        try connection.limit(to: context.listTimeout)
        do {
            try writer.object { writer in
                writer.name("images")
                try writer.array { try ImageTable(connection).write(operation.query, visibleTo: caller, to: &$0) }
            }
        } catch let error as DatabaseError {
            guard error.code == .overLimit else { throw error }
            throw RegistryError(
                .tooExpensive,
                "The list took too long and was given up. Ask for what fewer images have (name or its beginning, tag, "
                    + "property, owner, visibility), or leave the order to created_at or name."
            )
        }
    })

    static let createImage = RegistryHandler<CreateImage> { operation, caller, connection, context in
        guard caller.isAdmin || (operation.image.owner != nil && operation.image.owner == caller.project) else {
            throw RegistryError(
                .forbidden,
                "You are not permitted to create images owned by somebody else",
                field: "owner"
            )
        }
        return try ImageTable(connection).create(operation.image, within: operation.limits, at: context.now())
    }

    static let updateImage = RegistryHandler<UpdateImage> { operation, caller, connection, context in
        try ImageTable(connection).update(operation.image, as: caller, at: context.now())
    }

    static let deleteImage = RegistryHandler<DeleteImage> { operation, caller, connection, context in
        let now = context.now()
        return PendingDeletions(
            deletions: try ImageTable(connection).delete(
                operation.id,
                revision: operation.revision,
                as: caller,
                holder: operation.holder,
                claimedUntil: now.advanced(by: context.deletionClaim),
                scrubAfter: operation.scrubAfter.map { .seconds(min(max(0, $0), 1 << 31)) },
                at: now
            )
        )
    }

    static let restoreImage = RegistryHandler<RestoreImage> { operation, caller, connection, context in
        try ImageTable(connection).restore(operation.id, as: caller, at: context.now())
        return Done()
    }

    static let undeleteImage = RegistryHandler<UndeleteImage> { operation, caller, connection, context in
        guard caller.isAdmin else { throw RegistryError(.forbidden, "Only administrators restore images") }
        return try ImageTable(connection).undelete(operation.id, at: context.now())
    }
}

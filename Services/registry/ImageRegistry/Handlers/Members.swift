internal import ImageModel
internal import RegistryContract
internal import RegistryDatabase

extension RegistryHandlers {
    static let listMembers = RegistryHandler<ListMembers> { operation, caller, connection, _ in
        try MemberTable(connection).list(of: operation.image, visibleTo: caller)
    }

    static let showMember = RegistryHandler<ShowMember> { operation, caller, connection, _ in
        try MemberTable(connection).show(operation.member, of: operation.image, visibleTo: caller)
    }

    static let addMember = RegistryHandler<AddMember> { operation, caller, connection, context in
        try MemberTable(connection).add(operation, as: caller, at: context.now())
    }

    static let updateMember = RegistryHandler<UpdateMember> { operation, caller, connection, context in
        try MemberTable(connection).update(operation, as: caller, at: context.now())
    }

    static let removeMember = RegistryHandler<RemoveMember> { operation, caller, connection, _ in
        try MemberTable(connection).remove(operation, as: caller)
        return Done()
    }
}

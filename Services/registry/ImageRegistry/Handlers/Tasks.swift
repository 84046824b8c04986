internal import ImageModel
internal import RegistryContract
internal import RegistryDatabase

extension RegistryHandlers {
    static let listImageTasks = RegistryHandler<ListImageTasks> { operation, caller, connection, context in
        try TaskTable(connection).list(of: operation.image, visibleTo: caller, at: context.now())
    }
}

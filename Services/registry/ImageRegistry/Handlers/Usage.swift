internal import ImageModel
internal import RegistryContract
internal import RegistryDatabase

extension RegistryHandlers {
    /// A project's figures are for those who act in its name.
    static let showUsage = RegistryHandler<ShowUsage> { operation, caller, connection, _ in
        guard caller.isAdmin || caller.project == operation.project else {
            throw RegistryError(.forbidden, "You may not see what another project uses", field: "project")
        }
        return try UsageTable(connection).usage(of: operation.project)
    }
}

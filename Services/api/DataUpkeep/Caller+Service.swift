public import ImageModel

extension Caller {
    /// The service itself, for what no client asked for.
    public static let service = Caller(user: "glance", roles: ["service"], isAdmin: true)
}

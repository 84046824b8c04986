/// What an administrator may know of a store.
public struct StoreDetails: Sendable, Equatable {
    public enum Value: Sendable, Equatable {
        case text(String)
        case number(Int)
        case flag(Bool)
    }

    public struct Property: Sendable, Equatable {
        public var name: String
        public var value: Value

        public init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }
    }

    /// The driver's name, as `enabled_backends` has it.
    public var type: String
    /// Under the names that the Image API has for them ("Multi-store endpoints"); never a secret.
    public var properties: [Property]

    public init(type: String, properties: [Property] = []) {
        self.type = type
        self.properties = properties
    }
}

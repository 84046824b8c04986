/// An image as a change leaves it, and what the caller has to ask its policy, its property protections and its stores
/// about.
public struct PatchOutcome: Sendable, Equatable {
    /// What was done to a custom property.
    public struct PropertyAction: Sendable, Equatable {
        public enum Kind: String, Sendable {
            case create, update, delete
        }

        public var kind: Kind
        public var name: String

        public init(_ kind: Kind, _ name: String) {
            self.kind = kind
            self.name = name
        }
    }

    public private(set) var image: Image
    /// In order.
    public private(set) var propertyActions: [PropertyAction] = []
    /// Whether anything but locations was named (policy `modify_image`).
    public private(set) var changesRecord = false
    /// Whether locations were changed.
    public private(set) var changesLocations = false
    private let original: Image

    public init(of image: Image) {
        self.image = image
        original = image
    }

    /// The visibility before and after, where they differ.
    public var visibilityChange: (from: Visibility, to: Visibility)? {
        original.visibility == image.visibility ? nil : (original.visibility, image.visibility)
    }

    /// Whether the image has got a custom property that it did not have.
    public var addsProperties: Bool {
        image.properties.keys.contains { original.properties[$0] == nil }
    }

    /// The last check of a change. An image that has too many properties already may have them replaced and removed.
    ///
    /// - Throws: ``ServiceError`` (`limitExceeded`).
    public func requireRoom(within limits: ImageLimits) throws(ServiceError) {
        if addsProperties { try limits.requireRoom(forProperties: image.properties.keys) }
    }

    /// Applies one operation on anything but locations. ``requireRoom(within:)`` comes last.
    ///
    /// - Throws: ``ServiceError``: `forbidden`, `conflict`, `invalidRequest` or `limitExceeded`.
    public mutating func apply(
        _ operation: ImagePatchOperation,
        by caller: Caller,
        limits: ImageLimits
    ) throws(ServiceError) {
        changesRecord = true
        switch operation {
        case .setField(let value, let assignment): try set(value, assignment, caller, limits)
        case .setProperty(let name, let value, let assignment): try setProperty(name, value, assignment)
        case .remove(let name): try remove(name)
        case .locations: preconditionFailure("stores have to be asked first")
        }
    }

    /// Applies a change of locations about which the stores were asked.
    ///
    /// - Throws: ``ServiceError`` as ``Image/judge(_:_:)`` does.
    public mutating func apply(
        _ change: LocationChange,
        _ rules: LocationRules,
        found: [String: ExternalData]
    ) throws(ServiceError) {
        try image.carryOut(change, rules, found: found)
        changesLocations = true
    }

    private mutating func set(
        _ value: ImageFieldValue,
        _ assignment: PatchAssignment,
        _ caller: Caller,
        _ limits: ImageLimits
    ) throws(ServiceError) {
        // Every image has every field.
        if assignment == .insert { throw Self.present(value.field.rawValue) }
        try value.requireInRange()
        switch value {
        case .name(let value): image.name = value
        case .visibility(let value): image.visibility = value
        case .protected(let value): image.protected = value
        case .hidden(let value): image.hidden = value
        case .owner(let value):
            guard caller.isAdmin else { throw ServiceError(.forbidden, "Owner can't be updated by non admin.") }
            image.owner = value
        case .containerFormat(let format):
            try requireFormatsOpen(value.field)
            image.containerFormat = format
        case .diskFormat(let format):
            try requireFormatsOpen(value.field)
            image.diskFormat = format
        case .minDisk(let value): image.minDisk = value
        case .minRAM(let value): image.minRAM = value
        case .tags(let value): try image.setTags(value, limits: limits)
        }
    }

    /// Formats describe data that are there once the image has left these states.
    private func requireFormatsOpen(_ field: ImageField) throws(ServiceError) {
        guard image.status == .queued || image.status == .importing else {
            throw ServiceError(.forbidden, "Attribute '\(field.rawValue)' can be only replaced for a queued image.")
        }
    }

    private mutating func setProperty(
        _ name: String,
        _ value: String?,
        _ assignment: PatchAssignment
    ) throws(ServiceError) {
        let exists = image.holdsProperty(named: name)
        guard exists || assignment == .replace || image.properties.index(forKey: name) == nil else {
            throw ServiceError(.invalidRequest, PropertyName(name).resemblance)
        }
        switch assignment {
        case .insert where exists: throw Self.present(name)
        case .replace where !exists: throw Self.missing(name)
        case .put, .insert, .replace: break
        }
        image.properties.updateValue(value, forKey: name)
        propertyActions.append(PropertyAction(exists ? .update : .create, name))
    }

    private mutating func remove(_ name: String) throws(ServiceError) {
        guard ImageField(rawValue: name) == nil else {
            throw ServiceError(.forbidden, "Property \(name) may not be removed.")
        }
        guard image.holdsProperty(named: name) else { throw Self.missing(name) }
        image.properties.removeValue(forKey: name)
        propertyActions.append(PropertyAction(.delete, name))
    }

    private static func present(_ name: String) -> ServiceError {
        ServiceError(.conflict, "Property \(name.excerpt) already present.")
    }

    private static func missing(_ name: String) -> ServiceError {
        ServiceError(.conflict, "Property \(name.excerpt) does not exist.")
    }
}

public import ImageModel

extension PropertyProtections {
    /// One operation of a change, as far as the caller may change properties, as it is to be done.
    ///
    /// What the caller may not read is not there: setting it is creating it, and it can be neither replaced nor removed.
    ///
    /// - Parameter image: As the operations before have left it.
    /// - Throws: ``ServiceError``: `forbidden`, or `conflict`.
    public func admit(
        _ operation: ImagePatchOperation,
        on image: Image,
        by caller: Caller
    ) throws(ServiceError) -> ImagePatchOperation {
        switch operation {
        case .setProperty(let name, let value, let assignment):
            let exists = image.holdsProperty(named: name)
            let isSeen = exists && allow(.read, name, by: caller)
            switch assignment {
            case .replace:
                if exists, !isSeen { throw Self.missing(name) }
                if exists { try require(.update, name, by: caller) }
            case .insert where isSeen: break
            case .put where isSeen: try require(.update, name, by: caller)
            case .put, .insert:
                try require(.create, name, by: caller)
                // That it is there already stays unsaid.
                if exists { return .setProperty(name: name, value: value, .put) }
            }
        case .remove(let name):
            guard image.holdsProperty(named: name) else { break }
            if !allow(.read, name, by: caller) { throw Self.missing(name) }
            try require(.delete, name, by: caller)
        case .setField, .locations: break
        }
        return operation
    }

    private static func missing(_ name: String) -> ServiceError {
        ServiceError(.conflict, "Property \(name.excerpt) does not exist.")
    }
}

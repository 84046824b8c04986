extension MetadefContent {
    /// The content as it is named on resources of a type: with the association's prefix in front of properties, of the
    /// properties of objects and of what objects require. Unchanged where there is no such association, or no prefix.
    public func prefixed(for resourceType: String) -> MetadefContent {
        let association = associations.first { $0.name.utf8.elementsEqual(resourceType.utf8) }
        guard let prefix = association?.prefix, !prefix.isEmpty else { return self }
        var content = self
        content.properties = properties.map { $0.prefixed(prefix) }
        content.objects = objects.map { object in
            var object = object
            object.properties = object.properties.map { $0.prefixed(prefix) }
            object.required = object.required.map { prefix + $0 }
            return object
        }
        return content
    }
}

extension MetadefProperty {
    fileprivate func prefixed(_ prefix: String) -> MetadefProperty {
        MetadefProperty(name: prefix + name, definition: definition)
    }
}

extension ResourceTypeAssociation {
    /// The name in the catalogue of the property that resources have as `name`; `nil` where it lacks this prefix.
    public func unprefixed(_ name: String) -> String? {
        guard let prefix, !prefix.isEmpty, name.utf8.starts(with: prefix.utf8) else { return nil }
        return String(decoding: name.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }
}

/// The definitions of the properties that resources of one type may have, by the names that they have there.
public struct PropertyCatalogue: Sendable {
    private var definitions: [String: [(namespace: String, definition: MetadefDefinition)]] = [:]

    /// - Parameter records: Namespaces with their associations with `resourceType`, properties and objects.
    public init(_ records: [MetadefRecord], of resourceType: String) {
        for record in records {
            let content = record.content.prefixed(for: resourceType)
            for property in content.properties + content.objects.flatMap(\.properties) {
                definitions[property.name, default: []].append((record.namespace.name, property.definition))
            }
        }
    }

    /// What is wrong with properties, by name: nobody defines them, or their values break their definitions. Where
    /// several namespaces define a property it is enough to fit one of them. A null is nobody's concern.
    ///
    /// What patterns take is bounded for all properties together; the bound meets them in the order of their names.
    public func problems(in properties: [String: String?]) -> [PropertyProblem] {
        var budget = PatternBudget()
        return properties.sorted { $0.key < $1.key }.compactMap { name, value in
            guard let candidates = definitions[name] else {
                return PropertyProblem(
                    property: name,
                    kind: .unknown,
                    sentence: "is defined by no namespace of the metadata definitions"
                )
            }
            guard let value else { return nil }
            let complaints = candidates.compactMap { $0.definition.complaint(about: value, within: &budget) }
            guard complaints.count == candidates.count, let complaint = complaints.first else { return nil }
            return PropertyProblem(
                property: name,
                kind: .invalid,
                sentence: complaint,
                namespaces: candidates.map(\.namespace)
            )
        }
    }
}

/// What is wrong with one property of a resource.
public struct PropertyProblem: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// No definition knows the name.
        case unknown
        /// The value breaks every definition of the name.
        case invalid
    }

    public var property: String
    public var kind: Kind
    /// The rest of a sentence that begins with the property's name.
    public var sentence: String
    /// Who defines the property.
    public var namespaces: [String]

    public init(property: String, kind: Kind, sentence: String, namespaces: [String] = []) {
        self.property = property
        self.kind = kind
        self.sentence = sentence
        self.namespaces = namespaces
    }
}

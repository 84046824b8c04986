public import ImageModel
internal import Synchronization

/// Who may create, see, change and remove which custom properties of images (Glance, "Property protections").
///
/// The sections of a file are tried in its order, and the first whose expression is found in the property's name
/// decides. What no section is about nobody may do anything with, administrators included.
public struct PropertyProtections: Sendable {
    public enum Operation: String, CaseIterable, Sendable {
        case create, read, update, delete
    }

    /// Whom a section lets do an operation.
    enum Grant: Sendable, Equatable {
        case everybody, nobody
        /// In lower case; one of the caller's, or of the service's that calls for it, is enough.
        case roles(Set<String>)
        /// By its name.
        case policyRule(String)
    }

    struct Section: Sendable {
        var pattern: LinearPattern
        var grants: [Operation: Grant]
    }

    private let sections: [Section]
    private let isActive: Bool
    private let policy: ImagePolicy
    private let decisions = Decisions()

    /// Nothing is protected.
    public static let none = PropertyProtections()

    private init() {
        sections = []
        isActive = false
        policy = ImagePolicy()
    }

    init(sections: [Section], policy: ImagePolicy) {
        self.sections = sections
        isActive = true
        self.policy = policy
    }

    public func allow(_ operation: Operation, _ name: String, by caller: Caller) -> Bool {
        // The service's own bookkeeping is not protected from the service; callers may not write it anyway.
        guard isActive, !PropertyName(name).isInternal else { return true }
        guard let index = section(of: name), let grant = sections[index].grants[operation] else { return false }
        switch grant {
        case .everybody: return true
        case .nobody: return false
        case .roles(let roles):
            return !roles.isDisjoint(with: caller.roles)
                || caller.serviceRoles.contains { roles.contains($0.lowercased()) }
        case .policyRule(let rule): return policy.allows(ruleNamed: rule, caller)
        }
    }

    /// - Throws: `forbidden`, in the words for names that are reserved.
    public func require(_ operation: Operation, _ name: String, by caller: Caller) throws(ServiceError) {
        guard !allow(operation, name, by: caller) else { return }
        throw ServiceError(
            .forbidden,
            "Attribute '\(name.excerpt)' is reserved.",
            cause: PropertyRefusal(operation: operation, name: name.excerpt)
        )
    }

    /// Names come again with every image, so which section they belong to is remembered.
    private func section(of name: String) -> Int? {
        if let known = decisions.section(of: name) { return known.section }
        let found = sections.firstIndex { $0.pattern.isFound(in: name) }
        decisions.remember(found, for: name)
        return found
    }

    private final class Decisions: Sendable {
        struct Known {
            /// A dictionary takes names for one whose letters are composed in different ways; expressions do not.
            var name: String
            var section: Int?
        }

        private static let limit = 4_096
        private let known = Mutex<[String: Known]>([:])

        func section(of name: String) -> Known? {
            guard let found = known.withLock({ $0[name] }), found.name.utf8.elementsEqual(name.utf8) else { return nil }
            return found
        }

        func remember(_ section: Int?, for name: String) {
            known.withLock { known in
                // Callers choose the names: a bound, and a fresh start beyond it.
                if known.count >= Self.limit { known.removeAll(keepingCapacity: true) }
                known[name] = Known(name: name, section: section)
            }
        }
    }
}

/// What a property protection refused: for the log.
public struct PropertyRefusal: Error, Sendable, CustomStringConvertible {
    public let operation: PropertyProtections.Operation
    public let name: String

    public var description: String { "property protections refuse to \(operation.rawValue) '\(name)'" }
}

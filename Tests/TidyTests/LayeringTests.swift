import Testing

@Suite("Layering")
struct LayeringTests {
    let table: ImportTable
    let sources: [ServiceSource]

    init() throws {
        table = try ImportTable()
        sources = try ServiceSource.all()
    }

    @Test("a module imports only what the table lets it import")
    func importsFollowTheTable() throws {
        let systemLibraries = try SourceTree.files(below: "Shared/System", endingIn: [".modulemap"])
            .compactMap { $0.split(separator: "/").dropLast().last.map(String.init) }
        let ours = Set(table.allowed.keys).union(systemLibraries)
        #expect(!sources.isEmpty)
        for source in sources {
            guard let module = table.module(of: source.file), let allowed = table.allowed[module] else {
                Issue.record("\(source.file): its module has no line in imports.txt")
                continue
            }
            for name in source.imports where ours.contains(name) && name != module {
                #expect(allowed.contains(name), "\(source.file): \(module) may not import \(name)")
            }
        }
    }

    @Test("the table names no module that does not exist")
    func tableIsCurrent() {
        let modules = Set(sources.compactMap { table.module(of: $0.file) })
        #expect(Set(table.allowed.keys) == modules)
    }

    @Test("the two services never import each other")
    func servicesAreApart() {
        var services: [String: Substring] = [:]
        for source in sources {
            guard let module = table.module(of: source.file), let service = source.service else { continue }
            services[module] = service
        }
        for (module, allowed) in table.allowed {
            for name in allowed {
                guard let other = services[name] else { continue }
                #expect(services[module] == other, "\(module) may not import \(name)")
            }
        }
    }

    @Test("nothing but the registry knows the databases' libraries", arguments: ["CSQLite", "CPostgreSQL"])
    func databaseIsTheRegistrys(_ library: String) {
        for source in sources where source.imports.contains(library) {
            #expect(table.module(of: source.file) == "RegistryDatabase", "\(source.file)")
        }
    }
}

import ArgumentParser
import ImageModel
import RegistryDatabase
import ServiceKit

/// Runs one command on the catalogue of metadata definitions. What is wrong with files is told and is no failure, as in
/// the reference; what is wrong with the configuration or the database is one.
protocol CatalogueCommand: AsyncParsableCommand {
    var manage: ManageCommand { get }
    /// Where the files are; `nil` for the configured directory.
    var source: String? { get }
    func run(_ files: CatalogueFiles, _ database: any Database) async throws
}

extension CatalogueCommand {
    func run() async throws {
        do {
            let (database, configuration) = try await manage.files.openDatabase(.schema)
            do {
                let path = try source ?? configuration.value(of: MetadefOptions.sourcePath)
                try await run(CatalogueFiles(path: path), database)
            } catch {
                await database.close()
                throw error
            }
            await database.close()
        } catch {
            exitProgram("glance-manage", because: (error as? DatabaseError)?.message ?? "\(error)")
        }
    }
}

/// How a catalogue is loaded: the reference's three words.
struct LoadWords {
    var merge: Bool
    var prefersNew: Bool
    var overwrites: Bool

    /// - Throws: a sentence for words that contradict each other.
    func mode() throws -> MetadefLoadMode {
        guard !prefersNew || !overwrites else {
            throw ProgramFailure("--prefer_new and --overwrite exclude each other; nothing was loaded")
        }
        guard merge || (!prefersNew && !overwrites) else {
            throw ProgramFailure("--prefer_new and --overwrite need --merge; nothing was loaded")
        }
        if overwrites { return .overwrite }
        if prefersNew { return .mergePreferringNew }
        return merge ? .merge : .skip
    }

    func load(_ files: CatalogueFiles, into database: any Database) async throws {
        let mode: MetadefLoadMode
        let names: [String]
        do {
            mode = try self.mode()
            names = try files.all()
        } catch {
            return complain("\(error)")
        }
        var counts: [MetadefLoadOutcome: Int] = [:]
        for name in names {
            let file: MetadefCatalogueFile
            do {
                file = try MetadefCatalogueFile(parsing: try WholeFile.bytes(of: name))
            } catch let problem as MetadefCatalogueFile.Problem {
                complain("\(name) \(problem), and is passed over")
                continue
            } catch {
                complain("\(error), and is passed over")
                continue
            }
            for omission in file.omissions { complain("\(name) \(omission)") }
            let outcome = try await database.write { try MetadefTable($0).load(file, mode, at: Timestamp.now) }
            counts[outcome, default: 0] += 1
            if outcome == .skipped { print("\(file.record.namespace.name) is there already and was left alone.") }
        }
        let words: [(MetadefLoadOutcome, String)] = [
            (.added, "added"), (.merged, "merged"), (.replaced, "replaced"), (.skipped, "left alone"),
        ]
        let told = words.compactMap { outcome, word in counts[outcome].map { "\($0) \(word)" } }
        print("Namespaces: \(told.isEmpty ? "none loaded" : told.joined(separator: ", ")).")
    }
}

struct LoadMetadefsCommand: CatalogueCommand {
    static let configuration = CommandConfiguration(
        commandName: "load_metadefs",
        abstract: "Loads metadata definitions from files; namespaces that are there already are left alone."
    )

    @ParentCommand var manage: ManageCommand
    @Option(help: "A directory of *.json files, or one file; metadata_source_path when it is not given.")
    var path: String?
    @Flag(help: "Add to namespaces that are there already what they do not hold yet.")
    var merge = false
    @Flag(
        name: [.customLong("prefer_new"), .customLong("prefer-new")],
        help: "With --merge: what is there already becomes what the files say."
    )
    var prefersNew = false
    @Flag(help: "With --merge: namespaces that are there already are deleted first, with all they hold.")
    var overwrite = false

    var source: String? { path }

    func run(_ files: CatalogueFiles, _ database: any Database) async throws {
        try await LoadWords(merge: merge, prefersNew: prefersNew, overwrites: overwrite).load(files, into: database)
    }
}

struct UnloadMetadefsCommand: CatalogueCommand {
    static let configuration = CommandConfiguration(
        commandName: "unload_metadefs",
        abstract: "Deletes all metadata definitions, whoever made them."
    )

    @ParentCommand var manage: ManageCommand
    var source: String? { nil }

    func run(_ files: CatalogueFiles, _ database: any Database) async throws {
        let count = try await database.write { try MetadefTable($0).unload() }
        print("Namespaces: \(count) deleted.")
    }
}

struct ExportMetadefsCommand: CatalogueCommand {
    static let configuration = CommandConfiguration(
        commandName: "export_metadefs",
        abstract: "Writes all metadata definitions to files, one for each namespace, without their owners."
    )

    @ParentCommand var manage: ManageCommand
    @Option(help: "The directory to write to; metadata_source_path when it is not given.")
    var path: String?

    var source: String? { path }

    func run(_ files: CatalogueFiles, _ database: any Database) async throws {
        let catalogue = try await database.read { try MetadefTable($0).catalogue() }
        var taken: Set<String> = []
        for file in catalogue {
            var name = file.name
            var number = 1
            while !taken.insert(name.lowercased()).inserted {
                number += 1
                name = "\(file.name)\(number)"
            }
            do {
                try files.write(file.text, to: name + ".json")
            } catch {
                exitProgram("glance-manage", because: "\(error)")
            }
        }
        print("Namespaces: \(catalogue.count) written to \(files.path)")
    }
}

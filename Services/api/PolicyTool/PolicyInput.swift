import ArgumentParser
import Glibc
import Policy
import ServiceKit

/// The policy as glance-api would read it.
struct PolicyInput: ParsableArguments {
    @OptionGroup var files: ConfigurationFiles

    @Option(
        name: .customLong("policy-file"),
        help: "Read this policy file alone, instead of those that the configuration names."
    )
    var policyFile: String?

    private static let standard = "/etc/glance/glance-api.conf"

    /// - Throws: one sentence with file and line.
    func table() throws -> PolicyTable {
        let isConfigured = !files.files.isEmpty || !files.directories.isEmpty || access(Self.standard, F_OK) == 0
        // Where no service is configured, the defaults are what there is to look at.
        let configuration =
            isConfigured
            ? try files.start("glance-policy", standard: Self.standard, options: nil).configuration
            : try ServiceConfiguration(text: "")
        var settings = try PolicyOptions.settings(in: configuration, beside: files)
        settings.namedRules = try PropertyProtectionOptions.file(in: configuration, beside: files)?.namedRules() ?? []
        if let policyFile {
            guard access(policyFile, F_OK) == 0 else { throw ProgramFailure("\(policyFile): there is no such file") }
            settings.fileCandidates = [policyFile]
            settings.directoryCandidates = []
        }
        return try PolicyTable(reading: settings)
    }

    /// Runs a command and turns its failure into a sentence.
    static func run(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let exit as ExitCode {
            throw exit
        } catch {
            exitProgram("glance-policy", because: "\(error)")
        }
    }
}

import ArgumentParser
import Identity
import ImageModel
import ServiceKit

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Adds a user to a password file of http_basic, or replaces one.",
        discussion: """
            Prints a generated password unless one is given on standard input. A running service follows the file.

              glance-api user --file /etc/glance/htpasswd --name ci --project build --roles member,reader
            """
    )

    @Option(help: "The password file; it is made when there is none.")
    var file: String

    @Option(help: "The user's name.")
    var name: String

    @Option(help: "The project that the user acts for.")
    var project: String

    @Option(help: "Roles, separated by commas: admin, member, reader, …")
    var roles: String = "member,reader"

    @Option(name: .customLong("user-id"), help: "The user's id; the name when absent.")
    var userID: String?

    @Flag(name: .customLong("password-stdin"), help: "Read the password from the first line of standard input.")
    var readsPassword = false

    func run() async throws {
        let password: String
        if readsPassword {
            guard let line = readLine(), !line.isEmpty else {
                throw ValidationError("Standard input holds no password.")
            }
            password = line
        } else {
            password = generatePassword()
        }
        do {
            try HTPasswdFile.setUser(
                path: file,
                name: name,
                password: password,
                project: project,
                roles: roles.split(separator: ",").map { String($0) },
                userID: userID
            )
        } catch {
            exitProgram("glance-api user", because: (error as? ServiceError)?.message ?? "\(error)")
        }
        if !readsPassword { print(password) }
    }
}

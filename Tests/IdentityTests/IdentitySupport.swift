import Glibc
import HTTPTypes
import ImageModel
import Synchronization
import Testing

@testable import Identity

/// A clock that a test moves by hand.
final class ManualTime: Sendable {
    private let time = Mutex(Duration.zero)

    func now() -> Duration { time.withLock { $0 } }
    func advance(by duration: Duration) { time.withLock { $0 += duration } }
}

/// A file in a directory of its own, which goes when the test lets go of it.
final class TemporaryFile: Sendable {
    let directory: String
    var path: String { directory + "/htpasswd" }

    init(_ text: String? = nil, mode: mode_t = 0o600) throws {
        var template = Array("/tmp/identity-tests.XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        directory = String(cString: made)
        if let text { try write(text, mode: mode) }
    }

    deinit {
        for name in names() { unlink(directory + "/" + name) }
        rmdir(directory)
    }

    /// Rewrites the file in place, as an editor or a shell would.
    func write(_ text: String, mode: mode_t = 0o600) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
        try #require(fchmod(descriptor, mode) == 0)
    }

    func names() -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}

/// What a closure was told, in order.
final class Collected<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    var all: [Element] { elements.withLock { $0 } }
    func add(_ element: Element) { elements.withLock { $0.append(element) } }
}

/// Known answers: hashes of "U*U" and of nothing in particular, from the test vectors of crypt_blowfish.
let hashOfUStarU = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
let hashOfUStarUStar = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"

func headers(_ fields: (String, String)...) throws -> HTTPFields { try headers(of: fields) }

func headers(of fields: [(String, String)]) throws -> HTTPFields {
    var headers = HTTPFields()
    for (name, value) in fields { headers.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value)) }
    return headers
}

func isAdmin(_ roles: Set<String>) -> Bool { roles.contains("admin") }

/// Expects that `body` is refused for `reason`.
func expectUnauthenticated(
    _ reason: IdentityRefusal,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Caller
) async {
    let error = await #expect(throws: ServiceError.self, sourceLocation: sourceLocation) { _ = try await body() }
    #expect(error?.code == .unauthenticated, sourceLocation: sourceLocation)
    #expect(error?.cause as? IdentityRefusal == reason, sourceLocation: sourceLocation)
}

import Foundation
import RegistryContract
import Testing

@Suite("Registry keys")
struct RegistryKeysTests {
    /// 32 bytes of ones, of twos, and 31 of threes.
    private let one = Data(repeating: 1, count: 32).base64EncodedString()
    private let two = Data(repeating: 2, count: 32).base64EncodedString()
    private let short = Data(repeating: 3, count: 31).base64EncodedString()

    @Test("the first key signs, all of them verify, comments and blank lines are passed over")
    func parsing() throws {
        let text = "# keys of the registry\n\n  2026a \t\(one)  # since January\n2026b \(two)\n"
        for text in [text, text.replacing("\n", with: "\r\n"), String(text.dropLast())] {
            let keys = try RegistryKeys(parsing: text, name: "keys")
            #expect(keys.signing.id == "2026a")
            #expect(keys.signing.secret == [UInt8](repeating: 1, count: 32))
            #expect(keys["2026b"]?.secret == [UInt8](repeating: 2, count: 32))
            #expect(keys["2026c"] == nil)
        }
    }

    @Test("what is wrong is said with its line and without the secret")
    func faults() {
        let cases: [(text: String, sentence: String)] = [
            ("", "keys holds no key"),
            ("# nothing\n\n", "keys holds no key"),
            ("a \(one)\nb \(short)", "keys:2: the secret is shorter than 32 bytes"),
            ("a \(one)\n\na \(two)", "keys:3: the key id 'a' is there twice"),
            ("a not*base64", "keys:1: a line must read 'key-id base64-secret'"),
            ("a \(one.dropLast())", "keys:1: a line must read 'key-id base64-secret'"),
            ("\(one)", "keys:1: a line must read 'key-id base64-secret'"),
            ("a \(one) b", "keys:1: a line must read 'key-id base64-secret'"),
        ]
        for (text, sentence) in cases {
            let fault = #expect(throws: RegistryKeys.Fault.self) { try RegistryKeys(parsing: text, name: "keys") }
            #expect(fault?.description == sentence)
        }
    }

    @Test("a key file is for its owner's eyes alone", arguments: [0o600, 0o400, 0o644, 0o640, 0o620, 0o606, 0o601])
    func modes(_ mode: Int) throws {
        try withFile("a \(one)\n", mode: mode) { path throws in
            guard mode & 0o077 != 0 else {
                #expect(try RegistryKeys(file: path).signing.id == "a")
                return
            }
            let fault = #expect(throws: RegistryKeys.Fault.self) { try RegistryKeys(file: path) }
            #expect(fault?.description == "the key file \(path) can be read by others: run 'chmod 600 \(path)'")
        }
    }

    @Test("a missing file, a folder and an overlong file are refused by name")
    func notAFile() throws {
        try withFile(String(repeating: "#", count: 65_537), mode: 0o600) { path throws in
            let large = #expect(throws: RegistryKeys.Fault.self) { try RegistryKeys(file: path) }
            #expect(large?.description == "the key file \(path) is too large")
            let missing = #expect(throws: RegistryKeys.Fault.self) { try RegistryKeys(file: path + ".none") }
            #expect(missing?.description == "the key file \(path).none cannot be read: No such file or directory")
            let folder = (path as NSString).deletingLastPathComponent
            let none = #expect(throws: RegistryKeys.Fault.self) { try RegistryKeys(file: folder) }
            #expect(none?.description == "the key file \(folder) is not a regular file")
        }
    }

    private func withFile(_ text: String, mode: Int, _ body: (String) throws -> Void) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "registry-keys-\(UUID())")
        try Data(text.utf8).write(to: file)
        defer {
            // What cannot be removed is litter in the temporary folder, not a failure.
            try? FileManager.default.removeItem(at: file)
        }
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
        try body(file.path)
    }
}

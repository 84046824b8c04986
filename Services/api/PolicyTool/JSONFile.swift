import ServiceKit
import WireJSON

/// Documents that are given to the program as files.
enum JSONFile {
    /// - Throws: one sentence that names the file.
    static func object(_ path: String) throws -> JSONObject {
        let value: JSONValue
        let bytes = try WholeFile.bytes(of: path)
        do throws(JSONSyntaxError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw ProgramFailure("\(path): is no JSON: at byte \(error.offset): \(error.reason)")
        }
        guard let object = value.objectValue else { throw ProgramFailure("\(path): a JSON object is expected") }
        return object
    }
}

extension JSONValue {
    /// As Python prints it, which is what rules compare with.
    var policyText: String {
        switch self {
        case .null: "None"
        case .bool(let value): value ? "True" : "False"
        case .integer(let value): String(value)
        case .double(let value): String(value)
        case .string(let value): value
        case .array, .object: text
        }
    }
}

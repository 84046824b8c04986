internal import Policy
internal import ServiceKit
internal import WireJSON

extension PolicyQuestion {
    /// One JSON document.
    var document: (type: String, body: [UInt8]) {
        var object = JSONObject()
        object["rule"] = .string(rule)
        object["target"] = .object(target)
        object["credentials"] = .object(credentials)
        return ("application/json", Array(JSONValue.object(object).text.utf8))
    }

    /// A form, of which each field holds JSON.
    var form: (type: String, body: [UInt8]) {
        let fields: [(name: String, value: JSONValue)] = [
            ("rule", .string(rule)), ("target", .object(target)), ("credentials", .object(credentials)),
        ]
        let parts = fields.map { "\($0.name)=\($0.value.text.percentEscaped)" }
        return ("application/x-www-form-urlencoded", Array(parts.joined(separator: "&").utf8))
    }
}

import ImageModel
import ServiceKit
import WireJSON

/// A token as Keystone describes it (Identity API v3, "Validate and show information for token").
enum TokenFile {
    static func read(_ document: JSONObject, into caller: inout Caller) throws {
        guard let token = document["token"]?.objectValue else {
            throw ProgramFailure("the token's file has no object \"token\"")
        }
        let user = token["user"]?.objectValue, project = token["project"]?.objectValue
        caller.user = user?["id"]?.stringValue ?? caller.user
        caller.project = project?["id"]?.stringValue ?? caller.project
        caller.token.userDomain = user?["domain"]?.objectValue?["id"]?.stringValue
        caller.token.projectDomain = project?["domain"]?.objectValue?["id"]?.stringValue
        for role in token["roles"]?.arrayValue ?? [] {
            if let name = role.objectValue?["name"]?.stringValue { caller.roles.insert(name.lowercased()) }
        }
        if token["system"] != nil {
            caller.token.scope = .system("all")
        } else if let domain = token["domain"]?.objectValue?["id"]?.stringValue {
            caller.token.scope = .domain(domain)
        }
    }
}

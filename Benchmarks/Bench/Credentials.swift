internal import ArgumentParser
internal import FoundationEssentials
internal import NIOHTTP1

/// Who the requests come from. Appears in no output.
struct Credentials {
    var user: String?
    var password: String?
    var token: String?
    /// `Name: value` each.
    var headers: [String]

    /// What every request carries.
    func requestHeaders(host: String) throws -> HTTPHeaders {
        var result = HTTPHeaders([("Host", host), ("User-Agent", "glance-bench"), ("Accept", "*/*")])
        if let user {
            guard let password else { throw ValidationError("The user \(user) needs a password.") }
            guard token == nil else { throw ValidationError("Give a user and password or a token, not both.") }
            result.add(name: "Authorization", value: "Basic " + Data("\(user):\(password)".utf8).base64EncodedString())
        }
        if let token { result.add(name: "X-Auth-Token", value: token) }
        for header in headers {
            let parts = header.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, !header.contains(where: \.isNewline) else {
                throw ValidationError("\(header) is not a header of the form 'Name: value'.")
            }
            result.add(name: String(parts[0]), value: String(parts[1].drop { $0 == " " }))
        }
        return result
    }
}

internal import CPostgreSQL
internal import Glibc

/// Where a PostgreSQL database is and how to get in: libpq's parameters, as a URL tells them.
public struct PostgreSQLAddress: Sendable {
    private var parameters: [String: String]

    /// - Parameters:
    ///   - url: `postgresql://…` or `postgres://…`, also with a driver's name as SQLAlchemy has it
    ///     (`postgresql+psycopg2://…`), which is ignored. Several hosts and all of libpq's parameters may be in it.
    ///   - more: further parameters, `name=value&name=value`.
    ///   - program: what the server shall call us, unless the URL has an `application_name`.
    /// - Throws: ``DatabaseError`` with a sentence that repeats nothing of the URL, for there is a password in it.
    public init(url: String, adding more: String = "", program: String) throws(DatabaseError) {
        guard let mark = url.firstRange(of: "://"), Self.isScheme(url[..<mark.lowerBound]) else {
            throw Self.wrong("begins with postgresql://")
        }
        let rest = url[mark.upperBound...]
        try Self.requireOnePlaceForPassword(rest)
        var address = "postgresql://\(rest)"
        if !more.isEmpty { address += (rest.contains("?") ? "&" : "?") + more }
        parameters = try Self.parse(address)
        let ports = parameters["port", default: ""].split(separator: ",")
        guard ports.allSatisfy({ Int($0).map { (1...65_535).contains($0) } ?? false }) else {
            throw Self.wrong(
                "has ports between 1 and 65535, and a password in which : / ? # [ ] @ % are percent-encoded"
            )
        }
        for (name, value) in Self.defaults where parameters[name] == nil { parameters[name] = value }
        parameters["fallback_application_name"] = program
        parameters["client_encoding"] = "UTF8"
    }

    /// A peer that is gone is noticed within about a minute, also by a connection that waits for an answer.
    private static let defaults = [
        "connect_timeout": "10", "keepalives": "1", "keepalives_idle": "30", "keepalives_interval": "10",
        "keepalives_count": "3", "tcp_user_timeout": "60000",
    ]

    private static func isScheme(_ scheme: Substring) -> Bool {
        let name = scheme.prefix { $0 != "+" }
        return name == "postgresql" || name == "postgres"
    }

    /// An `@` or a `/` in a password would make a host name of what follows, and host names are in error messages.
    private static func requireOnePlaceForPassword(_ rest: Substring) throws(DatabaseError) {
        let beforeQuery = rest.prefix { $0 != "?" }
        let authority = beforeQuery.prefix { $0 != "/" }
        let at = authority.filter { $0 == "@" }.count
        let query = rest.dropFirst(beforeQuery.count + 1)
        let isClear =
            at <= 1 && !beforeQuery.dropFirst(authority.count).contains("@")
            && query.split(separator: "&").allSatisfy { $0.contains("=") }
        guard isClear else { throw wrong("has a password in which : / ? # [ ] @ % are percent-encoded") }
    }

    private static func parse(_ url: String) throws(DatabaseError) -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(url, &message) else {
            PQfreemem(message)
            throw wrong("has parameters that libpq knows and percent-encoded characters, as libpq's manual says")
        }
        defer { PQconninfoFree(options) }
        var parameters: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { parameters[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return parameters
    }

    private static func wrong(_ rule: String) -> DatabaseError {
        DatabaseError(
            .other,
            "[database] connection is no address of a PostgreSQL database: postgresql://user:password@host:port/database "
                + "\(rule)."
        )
    }

    /// What an operator may be told: without the password, should a message repeat it.
    func redacted(_ text: String) -> String {
        ["password", "sslpassword"].reduce(text) { text, name in
            guard let secret = parameters[name], !secret.isEmpty else { return text }
            return text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "***")
        }
    }

    /// The same, for somebody who does not wait long.
    ///
    /// - Parameter seconds: the most for each host; at least 2, the least that libpq knows.
    func connecting(within seconds: Int) -> PostgreSQLAddress {
        var address = self
        let own = parameters["connect_timeout"].flatMap { Int($0) } ?? 0
        address.parameters["connect_timeout"] = "\(own > 0 ? min(own, seconds) : seconds)"
        return address
    }

    /// The parameters as libpq takes them; the pointers are valid while `body` runs.
    func withParameters<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        let pairs = parameters.map { (strdup($0.key), strdup($0.value)) }
        defer {
            for (name, value) in pairs {
                free(name)
                free(value)
            }
        }
        var names: [UnsafePointer<CChar>?] = pairs.map { UnsafePointer($0.0) }
        var values: [UnsafePointer<CChar>?] = pairs.map { UnsafePointer($0.1) }
        names.append(nil)
        values.append(nil)
        return body(names, values)
    }
}

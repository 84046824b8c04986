import HTTPTypes
import Identity
import ImageModel
import ServiceKit
import Testing

@Suite("Trusted headers")
struct TrustedHeadersIdentityTests {
    let identity = TrustedHeadersIdentity(isAdmin: isAdmin)

    private func identify(
        _ peer: Peer = .unixSocket,
        _ fields: (String, String)...,
        by identity: TrustedHeadersIdentity? = nil
    ) async throws -> Caller {
        var all = HTTPFields()
        for (name, value) in fields { all.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value)) }
        return try await (identity ?? self.identity).identify(RequestCredentials(headers: all, peer: peer))
    }

    @Test("a confirmed identity is who the headers say")
    func confirmed() async throws {
        let caller = try await identify(
            .address("127.0.0.1"),
            ("X-Identity-Status", "Confirmed"),
            ("X-User-Id", "u"),
            ("X-User", "name"),
            ("X-Project-Id", "p"),
            ("X-Tenant-Id", "t"),
            ("X-Roles", "Member, READER ,,"),
            ("X-Service-Roles", "Service")
        )
        #expect(caller == Caller(user: "u", project: "p", roles: ["member", "reader"], serviceRoles: ["Service"]))
        let admin = try await identify(.unixSocket, ("X-Identity-Status", "Confirmed"), ("X-Role", "Admin"))
        #expect(admin == Caller(roles: ["admin"], isAdmin: true))
    }

    @Test("the old names of user and project serve where the new ones are missing")
    func fallbacks() async throws {
        let status = ("X-Identity-Status", "Confirmed")
        #expect(try await identify(.unixSocket, status, ("X-Tenant-Id", "t"), ("X-Tenant", "n")).project == "t")
        #expect(try await identify(.unixSocket, status, ("X-Tenant", "n"), ("X-User", "name")).project == "n")
        #expect(try await identify(.unixSocket, status, ("X-Tenant", "n"), ("X-User", "name")).user == "name")
        #expect(try await identify(.unixSocket, status, ("X-Project-Id", ""), ("X-Tenant", "n")).project == nil)
    }

    @Test(
        "headers from elsewhere are not believed",
        arguments: [
            "192.0.2.1", "10.0.0.1", "128.0.0.1", "::2", "::ffff:192.0.2.1", "::127.0.0.1", "fe80::1%lo", "localhost",
            "",
            "127.0.0.1 ", "1270.0.0.1", "127.1", "2130706433",
        ]
    )
    func spoofed(address: String) async throws {
        await expectUnauthenticated(.untrustedPeer) {
            try await identify(
                .address(address),
                ("X-Identity-Status", "Confirmed"),
                ("X-Roles", "admin"),
                ("X-User-Id", "u")
            )
        }
        // As if they had not been sent. A token or a password was meant for somebody who checks it.
        let anonymous = TrustedHeadersIdentity(isAdmin: isAdmin, allowsAnonymous: true)
        let confirmed = ("X-Identity-Status", "Confirmed"), admin = ("X-Roles", "admin")
        #expect(try await identify(.address(address), confirmed, admin, by: anonymous) == .anonymous)
        for secret in ["X-Auth-Token", "Authorization"] {
            await expectUnauthenticated(.untrustedPeer) {
                try await identify(.address(address), confirmed, admin, (secret, "x"), by: anonymous)
            }
        }
    }

    @Test("the log has a reason in words")
    func reasons() {
        #expect("\(IdentityRefusal.accessRules as any Error)".hasPrefix("the application credential's access rules"))
    }

    @Test("loopback addresses are this machine", arguments: ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"])
    func loopback(address: String) async throws {
        #expect(Peer.address(address).isLocal)
        let caller = try await identify(.address(address), ("X-Identity-Status", "Confirmed"), ("X-User-Id", "u"))
        #expect(caller.user == "u")
    }

    @Test("what is not confirmed is nobody", arguments: ["Invalid", "confirmed", "", "Confirmed, Confirmed"])
    func unconfirmed(status: String) async {
        await expectUnauthenticated(.notConfirmed) {
            try await identify(.unixSocket, ("X-Identity-Status", status), ("X-Roles", "admin"))
        }
        await expectUnauthenticated(.missingCredentials) {
            try await identify(.unixSocket, ("X-Identity-Status", status))
        }
    }

    @Test("a header that occurs twice may be a client's", arguments: ["X-Roles", "X-Project-Id", "X-User-Id"])
    func repeated(name: String) async {
        await expectUnauthenticated(.repeatedHeader) {
            try await identify(.unixSocket, ("X-Identity-Status", "Confirmed"), (name, "admin"), (name, "other"))
        }
    }

    @Test(
        "a name that no record can hold is nobody's",
        arguments: [String(repeating: "p", count: 256), "p\u{FFFD}"],
        ["X-Project-Id", "X-Tenant", "X-User-Id"]
    )
    func unusable(_ value: String, _ name: String) async throws {
        let error = await #expect(throws: ServiceError.self) {
            try await identify(.unixSocket, ("X-Identity-Status", "Confirmed"), (name, value))
        }
        #expect(error?.cause as? IdentityRefusal == .unusableHeader)
        let longest = String(repeating: "é", count: 255)
        let caller = try await identify(.unixSocket, ("X-Identity-Status", "Confirmed"), ("X-Project-Id", longest))
        #expect(caller.project == longest)
    }

    @Test("a system or domain token keeps its roles and its scope, which policy asks for")
    func otherScopes() async throws {
        for (name, value, scope) in [
            ("OpenStack-System-Scope", "all", CallerToken.Scope.system("all")),
            ("X-Domain-Id", "default", .domain("default")),
        ] {
            let caller = try await identify(
                .unixSocket,
                ("X-Identity-Status", "Confirmed"),
                ("X-Roles", "Admin,reader"),
                (name, value)
            )
            #expect(caller.roles == ["admin", "reader"])
            #expect(caller.isAdmin && caller.token.scope == scope && caller.project == nil)
        }
    }

    @Test("where anonymous access is on, only a request without credentials is anonymous")
    func anonymous() async throws {
        let identity = TrustedHeadersIdentity(isAdmin: isAdmin, allowsAnonymous: true)
        #expect(try await identify(.address("192.0.2.1"), by: identity) == .anonymous)
        #expect(try await identify(.unixSocket, ("X-Identity-Status", "Invalid"), by: identity) == .anonymous)
        await expectUnauthenticated(.notConfirmed) {
            try await identify(
                .unixSocket,
                ("X-Identity-Status", "Invalid"),
                ("X-Auth-Token", "expired"),
                by: identity
            )
        }
    }
}

@Suite("Trusted headers: who is believed, and about what")
struct TrustedPeersTests {
    private let confirmed = [("X-Identity-Status", "Confirmed"), ("X-User-Id", "u"), ("X-Roles", "reader")]

    private func identify(
        _ identity: TrustedHeadersIdentity,
        _ peer: Peer,
        _ fields: [(String, String)],
        isCertified: Bool = false
    ) async throws -> Caller {
        var credentials = RequestCredentials(headers: try headers(of: fields), peer: peer)
        credentials.hasClientCertificate = isCertified
        return try await identity.identify(credentials)
    }

    @Test("addresses that are listed are believed, and no others")
    func listed() async throws {
        let proxies = try ["192.0.2.7", "10.1.0.0/16", "2001:db8::/32"].map { try #require(AddressRange($0)) }
        let identity = TrustedHeadersIdentity(isAdmin: isAdmin, proxies: proxies)
        for address in ["192.0.2.7", "10.1.255.1", "::ffff:10.1.2.3", "2001:db8::7", "127.0.0.1", "::1"] {
            #expect(try await identify(identity, .address(address), confirmed).user == "u", "\(address)")
        }
        for address in ["192.0.2.8", "10.2.0.1", "2001:db9::1", "", "192.0.2.7 "] {
            await expectUnauthenticated(.untrustedPeer) { try await identify(identity, .address(address), confirmed) }
        }
    }

    @Test("a peer that was gone before anybody could ask who it was is not believed, whoever is listed")
    func unknown() async throws {
        let proxies = try ["0.0.0.0/0", "::/0"].map { try #require(AddressRange($0)) }
        for identity in [
            TrustedHeadersIdentity(isAdmin: isAdmin), TrustedHeadersIdentity(isAdmin: isAdmin, proxies: proxies),
        ] {
            await expectUnauthenticated(.untrustedPeer) { try await identify(identity, .unknown, confirmed) }
        }
    }

    @Test("a peer with a certificate that the server trusts is believed wherever it is")
    func certified() async throws {
        let identity = TrustedHeadersIdentity(isAdmin: isAdmin)
        let far = Peer.address("198.51.100.1")
        #expect(try await identify(identity, far, confirmed, isCertified: true).user == "u")
        await expectUnauthenticated(.untrustedPeer) { try await identify(identity, far, confirmed) }
    }

    @Test("everything that the middleware says and policy may ask for is read")
    func everything() async throws {
        let identity = TrustedHeadersIdentity(isAdmin: isAdmin)
        let caller = try await identify(
            identity,
            .unixSocket,
            confirmed + [
                ("X-Project-Id", "p"), ("X-User-Domain-Id", "d1"), ("X-Project-Domain-Id", "d2"),
                ("X-Is-Admin-Project", "False"), ("X-Service-Identity-Status", "Confirmed"),
                ("X-Service-Roles", "service,Admin"), ("X-Service-User-Id", "nova"), ("X-Service-Project-Id", "s"),
                ("X-Service-User-Domain-Id", "d3"), ("X-Service-Project-Domain-Id", "d4"),
            ]
        )
        var expected = Caller(user: "u", project: "p", roles: ["reader"], serviceRoles: ["service", "Admin"])
        expected.token.userDomain = "d1"
        expected.token.projectDomain = "d2"
        expected.token.isAdminProject = false
        expected.token.serviceUser = "nova"
        expected.token.serviceProject = "s"
        expected.token.serviceUserDomain = "d3"
        expected.token.serviceProjectDomain = "d4"
        #expect(caller == expected)
    }

    @Test("a service token that the proxy found wanting counts for nothing", arguments: ["Invalid", "", "confirmed"])
    func wrongService(status: String) async throws {
        let fields =
            confirmed + [
                ("X-Service-Identity-Status", status), ("X-Service-Roles", "service"), ("X-Service-User-Id", "nova"),
            ]
        let caller = try await identify(TrustedHeadersIdentity(isAdmin: isAdmin), .unixSocket, fields)
        #expect(caller.serviceRoles.isEmpty && caller.token.serviceUser == nil)
    }

    @Test(
        "each header counts once",
        arguments: ["X-Service-Roles", "X-User-Domain-Id", "X-Is-Admin-Project", "X-Tenant"]
    )
    func repeated(name: String) async throws {
        await expectUnauthenticated(.repeatedHeader) {
            try await identify(
                TrustedHeadersIdentity(isAdmin: isAdmin),
                .unixSocket,
                confirmed + [(name, "a"), (name, "b")]
            )
        }
    }
}

@Suite("No authentication")
struct NoAuthIdentityTests {
    @Test("everybody is the one administrator")
    func administrator() async throws {
        let somebody = RequestCredentials(headers: HTTPFields(), peer: .address("192.0.2.1"))
        #expect(
            try await NoAuthIdentity().identify(somebody)
                == Caller(
                    user: "admin",
                    project: "admin",
                    roles: ["admin", "manager", "member", "reader"],
                    isAdmin: true
                )
        )
        let configured = NoAuthIdentity(user: "u", project: "p", roles: ["Member"])
        #expect(
            try await configured.identify(somebody) == Caller(user: "u", project: "p", roles: ["member"], isAdmin: true)
        )
    }
}

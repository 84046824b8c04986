import HTTPTypes
import Identity
import ImageModel
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
    func spoofed(address: String) async {
        await expectUnauthenticated(.untrustedPeer) {
            try await identify(
                .address(address),
                ("X-Identity-Status", "Confirmed"),
                ("X-Roles", "admin"),
                ("X-User-Id", "u")
            )
        }
        let anonymous = TrustedHeadersIdentity(isAdmin: isAdmin, allowsAnonymous: true)
        await expectUnauthenticated(.untrustedPeer) {
            try await identify(
                .address(address),
                ("X-Identity-Status", "Confirmed"),
                ("X-Roles", "admin"),
                by: anonymous
            )
        }
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

    @Test("the roles of a system or domain token count for nothing")
    func otherScopes() async throws {
        for scope in [("OpenStack-System-Scope", "all"), ("X-Domain-Id", "default")] {
            let caller = try await identify(
                .unixSocket,
                ("X-Identity-Status", "Confirmed"),
                ("X-Roles", "admin,reader"),
                scope
            )
            #expect(caller.roles.isEmpty)
            #expect(!caller.isAdmin)
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

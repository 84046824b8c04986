import Testing

@testable import ServiceKit

@Suite("Options of the health check")
struct HealthOptionsTests {
    private func files(_ lines: String, port: Int? = 9292) throws -> HealthFiles {
        let configuration = try ServiceConfiguration(text: "[healthcheck]\n\(lines)\n")
        return try HealthOptions.files(in: configuration, port: port)
    }

    @Test(
        "the files that count are those that are set, for this port, and of the checks that are named",
        arguments: [
            ("", [], []),
            ("disable_by_file_path = /off", ["/off"], []),
            ("disable_by_file_paths = 9292:/mine, 9191:/others", ["/mine"], []),
            ("enable_by_file_paths = /a, /b", [], ["/a", "/b"]),
            ("disable_by_file_path = /off\nbackends = disable_by_file", ["/off"], []),
            ("disable_by_file_path = /off\nenable_by_file_paths = /on\nbackends = enable_by_files", [], ["/on"]),
            ("disable_by_file_path = /off\nbackends = disable_by_files_ports", [], []),
        ]
    )
    func chosen(_ lines: String, _ disabling: [String], _ enabling: [String]) throws {
        #expect(try files(lines) == HealthFiles(disabling: disabling, enabling: enabling))
    }

    @Test("a service on a socket has no port")
    func socket() throws {
        #expect(try files("disable_by_file_paths = 9292:/mine", port: nil).isEmpty)
    }

    @Test(
        "what cannot be meant stops the start and names the place",
        arguments: [
            "disable_by_file_paths = /no/port", "disable_by_file_paths = 0:/off", "backends = oslo_guess",
            "allowed_source_ranges = 10.0.0.1/8", "allowed_source_ranges = everybody", "path = health", "path = /",
        ]
    )
    func refused(_ line: String) throws {
        let configuration = try ServiceConfiguration(text: "[healthcheck]\n\(line)\n", path: "api.conf")
        let error = #expect(throws: ConfigurationError.self) {
            _ = try HealthOptions.check(in: configuration)
            _ = try HealthOptions.files(in: configuration, port: 9292)
        }
        #expect(error?.message.hasPrefix("api.conf:2: [healthcheck] ") == true)
    }

    @Test("files are looked for anew each time")
    func looked() {
        let directory = TemporaryDirectory()
        let path = directory.path + "/flag"
        let disabling = HealthFiles(disabling: [path])
        let enabling = HealthFiles(enabling: [directory.path + "/other", path])
        #expect(disabling.fault() == nil)
        #expect(enabling.fault()?.reason == "FILE PATH MISSING")
        directory.write("flag", "")
        #expect(disabling.fault() == HealthFault("DISABLED BY FILE", details: "Path '\(path)' was found"))
        #expect(enabling.fault() == nil)
    }
}

import Testing
import WireJSON

@testable import ImageAPI

@Suite("Versions of the API")
struct VersionDocumentTests {
    private func listed(_ document: VersionDocument) throws -> [String] {
        let members = try JSONMembers(JSONValue(parsing: document.bytes(base: "http://img.example:9292")))
        return try members.array("versions").map { entry in
            let entry = try JSONMembers(entry)
            #expect(entry.object.names == ["id", "status", "links"])
            #expect(entry.object["links"] == [["rel": "self", "href": "http://img.example:9292/v2/"]])
            return "\(try entry.string("id")) \(try entry.string("status"))"
        }
    }

    private let old = (0...7).reversed().map { "v2.\($0) SUPPORTED" }

    @Test("with one store these are listed, in this order")
    func singleStore() throws {
        #expect(
            try listed(VersionDocument(hasSeveralStores: false))
                == ["v2.15 SUPPORTED", "v2.9 SUPPORTED", "v2.17 CURRENT"] + old
        )
    }

    @Test("with several stores these are listed, in this order")
    func severalStores() throws {
        let newer = ["v2.15", "v2.13", "v2.12", "v2.11", "v2.10", "v2.9", "v2.8"].map { "\($0) SUPPORTED" }
        #expect(try listed(VersionDocument(hasSeveralStores: true)) == newer + ["v2.17 CURRENT"] + old)
    }

    @Test("an entry is this JSON")
    func golden() {
        let text = String(
            decoding: VersionDocument(hasSeveralStores: false).bytes(base: "https://img.example/p"),
            as: UTF8.self
        )
        #expect(
            text.hasPrefix(
                #"{"versions":[{"id":"v2.15","status":"SUPPORTED","links":[{"rel":"self","#
                    + #""href":"https://img.example/p/v2/"}]},"#
            )
        )
    }

    @Test("versions are accepted by their exact names, those of several stores where there are several")
    func accepted() {
        let always = ["v2", "v2.9", "v2.15", "v2.17"] + (0...7).map { "v2.\($0)" }
        let severalOnly = ["v2.8", "v2.10", "v2.11", "v2.12", "v2.13"]
        let never = ["", "v1", "v3", "V2", "v2.", "v2.14", "v2.16", "v2.18", "v2.99", "v10", "va.1", "images", " v2"]
        for several in [false, true] {
            let versions = VersionDocument(hasSeveralStores: several)
            for version in always { #expect(versions.accepts(version), "\(version)") }
            for version in severalOnly { #expect(versions.accepts(version) == several, "\(version)") }
            for version in never { #expect(!versions.accepts(version), "\(version)") }
        }
    }
}

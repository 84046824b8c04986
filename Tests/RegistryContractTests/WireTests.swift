import Foundation
import ImageModel
import RegistryContract
import Testing
import WireJSON

@Suite("Registry contract on the wire")
struct WireTests {
    @Test("operations and answers lose nothing on the way", arguments: WireSample.all)
    func roundTrip(_ sample: WireSample) throws {
        let read = try sample.reading(JSONValue(parsing: sample.json))
        #expect(String(decoding: read.json, as: UTF8.self) == String(decoding: sample.json, as: UTF8.self))
        #expect(read.contents == sample.contents)
    }

    @Test("every operation has a sample, and every one has a name of its own")
    func coverage() throws {
        let names = WireSample.operations.map(\.testDescription)
        #expect(names.count == Set(names).count)
        #expect(try declaredOperations() == names.sorted())
    }

    @Test("a member that is missing or of another kind is named", arguments: WireSample.all)
    func shapes(_ sample: WireSample) throws {
        let object = try JSONMembers(JSONValue(parsing: sample.json)).object
        let optional: Set<String> = [
            "marker", "store", "identity", "user", "project", "service_roles", "read_only", "field", "name", "owner",
            "container_format", "disk_format", "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value",
            "member", "host", "display_name", "description", "visibility", "resource_types", "prefix",
            "properties_target", "resource_type", "limit", "limits", "external_metadata", "metadata", "damaged",
            "scrub_after", "image", "last", "copy", "ended", "closing", "digests",
        ]
        for name in object.names {
            var changed = object
            changed[name] = nil
            let missing = error(reading: changed, as: sample)
            if missing != nil || !optional.contains(name) { #expect(missing?.member == name, "without \(name)") }
            changed = object
            changed[name] = .double(0.5)
            let wrong = error(reading: changed, as: sample)
            // A value within is nobody's member yet.
            #expect(wrong?.member == name || wrong?.member == "", "\(name) = 0.5: \(String(describing: wrong))")
        }
        #expect(throws: JSONShapeError.self) { _ = try sample.reading(.array([])) }
    }

    @Test("members that are not known are passed over, so that a newer side may send them", arguments: WireSample.all)
    func unknownMembers(_ sample: WireSample) throws {
        var object = try JSONMembers(JSONValue(parsing: sample.json)).object
        object["from_the_future"] = [1, 2]
        #expect(try sample.reading(.object(object)).contents == sample.contents)
    }

    @Test("the envelope is this JSON")
    func envelope() throws {
        let envelope = RegistryEnvelope(
            caller: Caller(user: "u1", project: "p1", roles: ["reader", "member"], serviceRoles: ["b", "a"]),
            requestID: "req-1",
            idempotencyKey: "0123456789abcdef",
            arguments: ShowImage(id: WireSample.id)
        )
        #expect(
            String(decoding: envelope.jsonBytes, as: UTF8.self)
                == #"{"caller":{"user":"u1","project":"p1","roles":["member","reader"],"service_roles":["a","b"],"#
                + #""admin":false},"request_id":"req-1","key":"0123456789abcdef","#
                + #""arguments":{"id":"6F9619FF-8b86-d011-b42d-00cf4fc964ff"}}"#
        )
        let read = try RegistryEnvelope<ShowImage>(json: JSONValue(parsing: envelope.jsonBytes))
        #expect(read.caller == envelope.caller)
        #expect(read.requestID == "req-1")
        #expect(read.idempotencyKey == "0123456789abcdef")
        #expect(read.arguments.id == WireSample.id)
    }

    @Test("the least envelope is this JSON")
    func leastEnvelope() throws {
        let envelope = RegistryEnvelope(
            caller: .anonymous,
            requestID: "req-2",
            idempotencyKey: nil,
            arguments: FinishDeletions(ids: [])
        )
        #expect(
            String(decoding: envelope.jsonBytes, as: UTF8.self)
                == #"{"caller":{"roles":[],"admin":false,"read_only":true},"request_id":"req-2","#
                + #""arguments":{"ids":[]}}"#
        )
        let read = try RegistryEnvelope<FinishDeletions>(json: JSONValue(parsing: envelope.jsonBytes))
        #expect(read.caller == .anonymous)
        #expect(read.idempotencyKey == nil)
    }

    @Test("the record of an image is this JSON")
    func imageRecord() {
        let image = Image(
            id: WireSample.id,
            name: "n",
            owner: "p1",
            createdAt: Timestamp(microseconds: 1),
            updatedAt: Timestamp(microseconds: 2),
            tags: ["t"],
            properties: ["os_distro": "debian"],
            locations: [ImageLocation(url: "file:///a", metadata: ["store": "fast"])],
            revision: 3
        )
        #expect(
            String(decoding: image.jsonBytes, as: UTF8.self)
                == #"{"id":"6F9619FF-8b86-d011-b42d-00cf4fc964ff","name":"n","status":"queued","visibility":"shared","#
                + #""protected":false,"os_hidden":false,"owner":"p1","container_format":null,"disk_format":null,"#
                + #""min_disk":0,"min_ram":0,"size":null,"virtual_size":null,"checksum":null,"os_hash_algo":null,"#
                + #""os_hash_value":null,"created_at":1,"updated_at":2,"tags":["t"],"#
                + #""properties":{"os_distro":"debian"},"#
                + #""locations":[{"url":"file:///a","metadata":{"store":"fast"}}],"revision":3}"#
        )
    }

    @Test("a property is a string or null, and an id is a UUID")
    func valuesThatAreNone() throws {
        let object = try JSONMembers(JSONValue(parsing: WireSample.image.jsonBytes)).object
        for (name, value, member) in [
            ("properties", JSONValue.object(["size_kind": 5]), "size_kind"), ("id", "no-uuid", "id"),
            ("status", "unheard_of", "status"), ("tags", [1], "tags"), ("properties", [], "properties"),
        ] {
            var changed = object
            changed[name] = value
            let error = #expect(throws: JSONShapeError.self) { try Image(json: .object(changed)) }
            #expect(error?.member == member)
        }
    }

    private func error(reading object: JSONObject, as sample: WireSample) -> JSONShapeError? {
        do {
            _ = try sample.reading(.object(object))
            return nil
        } catch {
            return error
        }
    }

    /// The names in the contract's own sources.
    private func declaredOperations() throws -> [String] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Shared/RegistryContract")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.flatMap { file in
            try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
                .filter { $0.contains("public static let name = ") }
                .compactMap { $0.split(separator: "\"").dropFirst().first.map(String.init) }
        }.sorted()
    }
}

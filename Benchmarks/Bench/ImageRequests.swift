internal import NIOCore
internal import NIOHTTP1

/// The requests of the Image API v2 that are measured, for one service and one run of the program.
struct ImageRequests: Sendable {
    let service: ServiceUnderTest
    /// Begins the name of every image and is a tag of each.
    let mark: String

    /// Images with the same value of `bench_group` and the same second tag.
    static let groupCount = 10

    func show(_ image: String) -> ServiceRequest {
        request(.GET, "/v2/images/\(image)", expecting: 200)
    }

    func list(_ query: String) -> ServiceRequest {
        request(.GET, "/v2/images?\(query)", expecting: 200)
    }

    /// Three properties and two tags, as an image of an ordinary cloud has them.
    func create(_ image: String, number: Int) -> ServiceRequest {
        let document =
            "{\"id\":\"\(image)\",\"name\":\"\(name(number))\",\"disk_format\":\"raw\",\"container_format\":\"bare\","
            + "\"tags\":[\"\(mark)\",\"\(groupTag(number))\"],\"bench_run\":\"\(mark)\","
            + "\"bench_group\":\"\(group(number))\",\"bench_note\":\"made by glance-bench and removed by it\"}"
        var create = request(.POST, "/v2/images", expecting: 201)
        create.body = .bytes(ByteBuffer(string: document))
        create.head.headers.add(name: "Content-Type", value: "application/json")
        create.head.headers.add(name: "Content-Length", value: String(document.utf8.count))
        create.image = image
        return create
    }

    /// One property gets a value.
    func change(_ image: String) -> ServiceRequest {
        let document = "[{\"op\":\"add\",\"path\":\"/bench_change\",\"value\":\"\(mark)\"}]"
        var change = request(.PATCH, "/v2/images/\(image)", expecting: 200)
        change.body = .bytes(ByteBuffer(string: document))
        change.head.headers.add(name: "Content-Type", value: "application/openstack-images-v2.1-json-patch")
        change.head.headers.add(name: "Content-Length", value: String(document.utf8.count))
        return change
    }

    func delete(_ image: String) -> ServiceRequest {
        var delete = request(.DELETE, "/v2/images/\(image)", expecting: 204)
        delete.image = image
        return delete
    }

    func upload(_ image: String, block: ByteBuffer, byteCount: Int64) -> ServiceRequest {
        var upload = request(.PUT, "/v2/images/\(image)/file", expecting: 204)
        upload.body = .repeated(block, byteCount: byteCount)
        upload.head.headers.add(name: "Content-Type", value: "application/octet-stream")
        upload.head.headers.add(name: "Content-Length", value: String(byteCount))
        upload.image = image
        return upload
    }

    func download(_ image: String, byteCount: Int64) -> ServiceRequest {
        var download = request(.GET, "/v2/images/\(image)/file", expecting: 200)
        download.expectedByteCount = byteCount
        return download
    }

    func name(_ number: Int) -> String { "\(mark)-\(number)" }
    func groupTag(_ number: Int) -> String { "\(mark)-group-\(group(number))" }
    func group(_ number: Int) -> Int { number % Self.groupCount }

    private func request(_ method: HTTPMethod, _ path: String, expecting status: UInt) -> ServiceRequest {
        ServiceRequest(
            head: HTTPRequestHead(
                version: .http1_1,
                method: method,
                uri: service.url.prefix + path,
                headers: service.headers
            ),
            expectedStatus: status
        )
    }
}

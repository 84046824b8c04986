import ImageModel

/// Parameters of GET /v2/images: `name=value` pairs between `&`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: data, count: count), as: UTF8.self)
    let parameters = text.split(separator: "&").map { pair in
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return (name: String(parts[0]), value: parts.count == 2 ? String(parts[1]) : "")
    }
    _ = try? ImageListQuery(parameters: parameters, paging: PageLimits(default: 25, maximum: 1_000))
    return 0
}

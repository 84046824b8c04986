import ImageModel

/// An expression of property protections or of a definition up to the first line feed, and names to search, one a line.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: data, count: count), as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    // An expression that is refused searches nothing.
    guard let first = lines.first, let pattern = try? LinearPattern(String(first)) else { return 0 }
    for name in lines.dropFirst() { _ = pattern.isFound(in: String(name)) }
    return 0
}

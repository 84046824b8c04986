import WireJSON

/// What reads once is written and read again, and stays the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    guard let value = try? JSONValue(parsing: bytes) else { return 0 }
    let again = try? JSONValue(parsing: Array(value.text.utf8))
    precondition(again == value, "a document changes when it is written and read")
    return 0
}

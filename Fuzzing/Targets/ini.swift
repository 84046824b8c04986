import INI

/// A configuration file: it is read or refused, with a line that it has.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    guard let file = try? INIFile(bytes: bytes, path: "f") else { return 0 }
    let lines = bytes.split(separator: 10, omittingEmptySubsequences: false).count
    precondition(file.entries.allSatisfy { $0.line >= 1 && $0.line <= lines && file.sections.contains($0.section) })
    return 0
}

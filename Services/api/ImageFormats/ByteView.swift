/// Bytes of an unknown origin: every read says whether there was something to read.
struct ByteView: Sendable {
    private let bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    private init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    var count: Int { bytes.count }

    /// `nil` when they are not all there.
    func slice(_ offset: Int, _ count: Int) -> ByteView? {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { return nil }
        let start = bytes.startIndex + offset
        return ByteView(bytes[start..<start + count])
    }

    /// Its first bytes; zeros stand for those that did not come, as QEMU reads what lies behind a file's end.
    func padded(to count: Int) -> ByteView {
        slice(0, count) ?? ByteView(Array(bytes) + repeatElement(0, count: count - bytes.count))
    }

    func starts(with other: [UInt8], at offset: Int = 0) -> Bool {
        slice(offset, other.count)?.bytes.elementsEqual(other) ?? false
    }

    func starts(with text: String, at offset: Int = 0) -> Bool { starts(with: Array(text.utf8), at: offset) }

    func byte(_ offset: Int) -> UInt8? { slice(offset, 1)?.bytes.first }

    func little<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type = T.self, at offset: Int) -> T? {
        slice(offset, MemoryLayout<T>.size)?.bytes.reversed().reduce(T(0)) { $0 << 8 | T($1) }
    }

    func big<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type = T.self, at offset: Int) -> T? {
        slice(offset, MemoryLayout<T>.size)?.bytes.reduce(T(0)) { $0 << 8 | T($1) }
    }

    var array: [UInt8] { Array(bytes) }
    var isZero: Bool { bytes.allSatisfy { $0 == 0 } }
}

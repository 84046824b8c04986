/// Looks for what makes a text a VMDK's descriptor for who is told that it is one: QEMU then asks for no more than a
/// `createType` before the first NUL of the first mebibyte, whatever the text begins with.
struct DescriptorScan: Sendable {
    private static let word = Array("createtype".utf8)
    private static let textByteCount = 1024 * 1024

    private(set) var isFound = false
    private var isAtEnd = false
    private var byteCount = 0
    /// The end of what came, in which the word can have begun.
    private var pending: [UInt8] = []

    var keptByteCount: Int { pending.capacity }

    /// Takes the next bytes of the stream.
    mutating func take(_ chunk: UnsafeRawBufferPointer) {
        guard !isAtEnd else { return }
        let part = chunk.prefix(Self.textByteCount - byteCount)
        let text = part.prefix { $0 != 0 }
        byteCount += part.count
        let searched = pending + text.lazy.map(\.asciiLowercased)
        isFound = searched.contains(Self.word)
        isAtEnd = isFound || text.count < part.count || byteCount == Self.textByteCount
        pending = isAtEnd ? [] : Array(searched.suffix(Self.word.count - 1))
    }
}

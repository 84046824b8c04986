/// The name of a member, as a ``JSONReader`` meets it: compared where it lies, and made a text only where one is needed.
/// Not to be kept longer than the memory that is read.
public struct JSONName {
    @usableFromInline
    enum Form {
        /// ASCII without escapes.
        case plain(UnsafeRawBufferPointer)
        case decoded(String)
    }

    @usableFromInline
    let form: Form

    init(plain bytes: UnsafeRawBufferPointer) { form = .plain(bytes) }
    init(decoded text: String) { form = .decoded(text) }

    public var text: String {
        switch form {
        case .plain(let bytes): String(decoding: bytes, as: UTF8.self)
        case .decoded(let text): text
        }
    }

    /// Byte for byte.
    @inlinable
    public static func ~= (name: StaticString, met: JSONName) -> Bool {
        let bytes = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        switch met.form {
        case .plain(let other):
            guard other.count == bytes.count else { return false }
            for index in 0..<bytes.count where other[index] != bytes[index] { return false }
            return true
        case .decoded(let text): return text.utf8.elementsEqual(bytes)
        }
    }
}

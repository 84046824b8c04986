/// Values as libpq takes them: numbers and texts as text, whose types the server infers, and bytes as they are.
struct PostgreSQLParameters {
    private var bytes: [UInt8] = []
    /// Where each value begins in `bytes`; `nil` for NULL.
    private var offsets: [Int?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    init(_ values: [SQLValue]) {
        offsets.reserveCapacity(values.count)
        for value in values {
            switch value {
            case .null: append([UInt8]?.none)
            case .integer(let number): append("\(number)".utf8)
            case .text(let text): append(text.utf8)
            case .blob(let blob): append(blob, format: 1)
            }
        }
    }

    /// - Parameter format: 0 for text, 1 for binary.
    private mutating func append(_ value: (some Collection<UInt8>)?, format: Int32 = 0) {
        offsets.append(value.map { _ in bytes.count })
        lengths.append(Int32(value?.count ?? 0))
        formats.append(format)
        if let value { bytes += value }
        // A text ends with a zero byte.
        bytes.append(0)
    }

    /// The pointers are valid while `body` runs.
    func withPointers<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?, Int32) -> Result
    ) -> Result {
        bytes.withUnsafeBytes { memory in
            let start = memory.baseAddress?.assumingMemoryBound(to: CChar.self)
            let values = offsets.map { offset in offset.flatMap { offset in start.map { $0 + offset } } }
            return values.withUnsafeBufferPointer { values in
                body(values.baseAddress, lengths, formats, Int32(offsets.count))
            }
        }
    }
}

extension [SQLValue] {
    /// PostgreSQL's text cannot hold the character U+0000: the driver says so before the server would, whose message
    /// comes in the middle of a transaction and names no value.
    func requireNoNUL() throws(DatabaseError) {
        for (position, value) in enumerated() {
            if case .text(let text) = value, text.utf8.contains(0) {
                throw DatabaseError(.unstorableText, "value \(position + 1) has the character U+0000")
            }
        }
    }
}

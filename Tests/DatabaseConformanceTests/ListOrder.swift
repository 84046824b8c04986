import ImageModel

/// The order of a list, computed without a database.
enum ListOrder {
    static func precedes(_ one: Image, _ other: Image, by order: [ImageSort]) -> Bool {
        for sort in order {
            let (first, second) = (Place(one, sort.key), Place(other, sort.key))
            if first != second { return (first < second) == (sort.direction == .ascending) }
        }
        return false
    }

    /// An image's place in an order: nulls are the empty text or zero, and texts are compared byte by byte.
    private enum Place: Comparable {
        case number(Int64)
        case text([UInt8])

        init(_ image: Image, _ key: ImageSort.Key) {
            func text(_ text: String?) -> Place { .text(Array((text ?? "").utf8)) }
            self =
                switch key {
                case .id: text(image.id.text)
                case .name: text(image.name)
                case .status: text(image.status.rawValue)
                case .containerFormat: text(image.containerFormat)
                case .diskFormat: text(image.diskFormat)
                case .size: .number(image.size ?? 0)
                case .createdAt: .number(image.createdAt.microseconds)
                case .updatedAt: .number(image.updatedAt.microseconds)
                }
        }

        static func < (one: Place, other: Place) -> Bool {
            switch (one, other) {
            case (.number(let one), .number(let other)): one < other
            case (.text(let one), .text(let other)): one.lexicographicallyPrecedes(other)
            case (.number, .text), (.text, .number): false
            }
        }
    }
}

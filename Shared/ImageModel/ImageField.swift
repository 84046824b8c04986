internal import WireJSON

/// The fields of an image that a client may set, by their names in the API.
public enum ImageField: String, Sendable, CaseIterable {
    case name, visibility, protected
    case hidden = "os_hidden"
    case owner
    case containerFormat = "container_format"
    case diskFormat = "disk_format"
    case minDisk = "min_disk"
    case minRAM = "min_ram"
    case tags
}

/// A field together with the value that a client gives it.
public enum ImageFieldValue: Sendable, Equatable {
    case name(String?)
    case visibility(Visibility)
    case protected(Bool)
    case hidden(Bool)
    case owner(String?)
    case containerFormat(String?)
    case diskFormat(String?)
    case minDisk(Int64)
    case minRAM(Int64)
    case tags([String])

    public var field: ImageField {
        switch self {
        case .name: .name
        case .visibility: .visibility
        case .protected: .protected
        case .hidden: .hidden
        case .owner: .owner
        case .containerFormat: .containerFormat
        case .diskFormat: .diskFormat
        case .minDisk: .minDisk
        case .minRAM: .minRAM
        case .tags: .tags
        }
    }

    /// Takes a value that the schema has passed.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`) for one that it would not pass.
    init(_ field: ImageField, validated json: JSONValue) throws(ServiceError) {
        guard let value = Self.read(field, json) else {
            throw ServiceError(
                .invalidRequest,
                "Provided object does not match schema 'image': '\(field.rawValue)' is of the wrong type."
            )
        }
        self = value
    }

    private static func read(_ field: ImageField, _ json: JSONValue) -> ImageFieldValue? {
        switch field {
        case .name: text(json).map { .name($0) }
        case .visibility: json.stringValue.flatMap(Visibility.init(rawValue:)).map { .visibility($0) }
        case .protected: json.boolValue.map { .protected($0) }
        case .hidden: json.boolValue.map { .hidden($0) }
        // An empty owner is none.
        case .owner: text(json).map { .owner($0 == "" ? nil : $0) }
        case .containerFormat: text(json).map { .containerFormat($0) }
        case .diskFormat: text(json).map { .diskFormat($0) }
        case .minDisk: whole(json).map { .minDisk($0) }
        case .minRAM: whole(json).map { .minRAM($0) }
        case .tags: tags(json).map { .tags($0) }
        }
    }

    private static func text(_ json: JSONValue) -> String?? {
        json.isNull ? .some(nil) : json.stringValue.map { .some($0) }
    }

    /// A whole number beyond 64 bits becomes the nearest within them: it is out of range all the same.
    private static func whole(_ json: JSONValue) -> Int64? {
        if let value = json.integerValue { return value }
        guard case .double(let number) = json, number.rounded(.towardZero) == number else { return nil }
        return number < 0 ? .min : .max
    }

    private static func tags(_ json: JSONValue) -> [String]? {
        guard let elements = json.arrayValue else { return nil }
        let tags = elements.compactMap(\.stringValue)
        return tags.count == elements.count ? tags : nil
    }

    /// The rules that the schema does not know.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    func requireInRange() throws(ServiceError) {
        switch self {
        case .minDisk(let value), .minRAM(let value):
            guard value >= 0 else {
                throw ServiceError(
                    .invalidRequest,
                    "Invalid value '\(value)' for parameter '\(field.rawValue)': Cannot be a negative value"
                )
            }
            guard value <= Int64(Int32.max) else {
                throw ServiceError(
                    .invalidRequest,
                    "'\(field.rawValue)' value out of range, must not exceed \(Int32.max)."
                )
            }
        case .name, .visibility, .protected, .hidden, .owner, .containerFormat, .diskFormat, .tags: break
        }
    }
}

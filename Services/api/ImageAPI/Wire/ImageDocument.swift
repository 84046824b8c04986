internal import ImageModel
internal import Policy
internal import StoreLayer
internal import WireJSON

/// An image as the public API shows it (Image API v2, "Image").
enum ImageDocument {
    /// Custom properties come first, so that a reader who keeps the last of two equal names keeps the service's own.
    static func write(_ image: Image, to writer: inout JSONWriter, settings: ImageAPISettings, caller: Caller) {
        writer.object { writer in
            for (name, value) in properties(of: image, settings.propertyProtections, caller) {
                // A null that no schema allows is shown as an empty string.
                if let value {
                    writer.field(name, value)
                } else if settings.schema.allowsNull(name) {
                    writer.field(name, JSONValue.null)
                } else {
                    writer.field(name, "")
                }
            }
            writer.field("name", image.name)
            writer.field("disk_format", image.diskFormat)
            writer.field("container_format", image.containerFormat)
            writer.field("visibility", image.visibility.rawValue)
            writer.field("size", image.size)
            writer.field("virtual_size", image.virtualSize)
            writer.field("status", image.status.rawValue)
            writer.field("checksum", image.checksum)
            writer.field("protected", image.protected)
            writer.field("min_ram", image.minRAM)
            writer.field("min_disk", image.minDisk)
            writer.field("owner", image.owner)
            writer.field("os_hidden", image.hidden)
            writer.field("os_hash_algo", image.hashAlgorithm)
            writer.field("os_hash_value", image.hashValue)
            writer.field("id", image.id.text)
            writer.field("created_at", image.createdAt.text)
            writer.field("updated_at", image.updatedAt.text)
            writeLocations(of: image, to: &writer, settings, caller)
            writer.field("tags", strings: image.tags)
            writer.field("self", "/v2/images/\(image.id)")
            writer.field("file", "/v2/images/\(image.id)/file")
            writer.field("schema", "/v2/schemas/image")
        }
    }

    /// Where the data is, as far as the configuration, policy and the image's state let it be seen.
    private static func writeLocations(
        of image: Image,
        to writer: inout JSONWriter,
        _ settings: ImageAPISettings,
        _ caller: Caller
    ) {
        let locations = Self.locations(of: image, settings, caller)
        let showsURLs = settings.showsDirectURL || settings.locationRules.areVisible
        let urls = showsURLs && settings.maySeeLocations(image, caller) ? locations : []
        if settings.locationRules.areVisible { writer.field("locations", array: urls) { write($1, to: &$0) } }
        if settings.showsDirectURL, let first = urls.first { writer.field("direct_url", first.url) }
        let stores = locations.compactMap(\.store)
        if settings.catalogue.isMultiStore, !stores.isEmpty { writer.field("stores", stores.joined(separator: ",")) }
    }

    /// In the order of reading. A deactivated image shows none to anybody but an administrator.
    static func locations(of image: Image, _ settings: ImageAPISettings, _ caller: Caller) -> [ImageLocation] {
        let isWithheld = image.status == .deactivated && !caller.isAdmin
        return isWithheld ? [] : settings.catalogue.ordered(image.locations)
    }

    static func write(_ location: ImageLocation, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("url", location.url)
            writer.field("metadata", .object(location.metadata))
        }
    }

    /// Those of the custom properties that the caller is shown: in order, so that equal images have equal documents and
    /// equal entity tags.
    static func properties(
        of image: Image,
        _ protections: PropertyProtections,
        _ caller: Caller
    ) -> [(key: String, value: String?)] {
        image.properties.lazy.filter { !isHidden($0.key) && protections.allow(.read, $0.key, by: caller) }
            .sorted { $0.key < $1.key }
    }

    /// What only the service's own nodes are meant to read.
    private static func isHidden(_ name: String) -> Bool {
        name == "os_glance_stage_host" || name == "os_glance_hash_op_host"
    }

    static func bytes(_ image: Image, settings: ImageAPISettings, caller: Caller) -> [UInt8] {
        var writer = JSONWriter(reserving: 2_048)
        write(image, to: &writer, settings: settings, caller: caller)
        return writer.bytes
    }

    /// A page of a list, with its links.
    static func bytes(
        page: [Image],
        first: String,
        next: String?,
        settings: ImageAPISettings,
        caller: Caller
    ) -> [UInt8] {
        var writer = JSONWriter(reserving: 256 + page.count * 1_280)
        writer.object { writer in
            writer.field("images", array: page) { writer, image in
                write(image, to: &writer, settings: settings, caller: caller)
            }
            writer.field("first", first)
            if let next { writer.field("next", next) }
            writer.field("schema", "/v2/schemas/images")
        }
        return writer.bytes
    }
}

extension ImageSchema {
    /// Whether the operator declared the property as one that may be null.
    fileprivate func allowsNull(_ name: String) -> Bool {
        do {
            try validate(field: name, value: .null)
            return true
        } catch {
            return false
        }
    }
}

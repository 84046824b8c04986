internal import WireJSON

/// Changes of locations (Image API v2, "Update image", locations). A change is judged first, then stores are asked about
/// the URLs that are new, then it is done.
extension Image {
    /// Judges a change as far as that goes without the stores: status, digests, position, number, repetition.
    ///
    /// - Returns: the URLs that the image has not yet.
    /// - Throws: ``ServiceError``: `conflict`, `invalidRequest`, `forbidden` or `limitExceeded`.
    public func judge(_ change: LocationChange, _ rules: LocationRules) throws(ServiceError) -> [String] {
        switch change {
        case .add(let entry, let position):
            try requireStatus([.active, .queued], to: "add")
            _ = try digests(saidBy: [entry], rules)
            guard position != .invalid else {
                throw ServiceError(.invalidRequest, "Invalid position for adding a location.")
            }
            try Self.requireRoom(for: locations.count + 1, rules)
            try Self.requireDistinct([entry], among: status == .queued ? [] : locations)
            try requireFormatsWhereQueued()
            return [entry.location.url]
        case .replace(let entries):
            guard !entries.isEmpty else { throw ServiceError(.forbidden, "Cannot set locations to empty list.") }
            try requireStatus([.active, .queued], to: "replace")
            _ = try digests(saidBy: entries, rules)
            // Each URL as often as before.
            let urls = entries.map(\.location.url).sorted()
            guard locations.isEmpty || urls == locations.map(\.url).sorted() else {
                throw ServiceError(.invalidRequest, "Original locations is not empty")
            }
            try Self.requireRoom(for: entries.count, rules)
            try Self.requireDistinct(entries, among: [])
            try requireFormatsWhereQueued()
            return locations.isEmpty ? entries.map(\.location.url) : []
        case .remove(let position):
            try requireStatus([.active], to: "remove")
            guard locations.count > 1 else {
                throw ServiceError(.forbidden, "Cannot remove last location in the image.")
            }
            guard index(of: position) != nil else {
                throw ServiceError(.invalidRequest, "Invalid position for removing a location.")
            }
            return []
        }
    }

    /// Does a change that was judged.
    ///
    /// - Parameter found: What the stores said of the URLs that are new.
    /// - Throws: ``ServiceError`` as ``judge(_:_:)`` does.
    public mutating func carryOut(
        _ change: LocationChange,
        _ rules: LocationRules,
        found: [String: ExternalData]
    ) throws(ServiceError) {
        _ = try judge(change, rules)
        switch change {
        case .add(let entry, let position):
            try requireOneLength([entry], found)
            take(try digests(saidBy: [entry], rules))
            // What a queued image still names was refused.
            if status == .queued { locations = [] }
            var place = locations.count
            if case .index(let index) = position { place = min(index, place) }
            locations.insert(named(entry.location, found), at: place)
            becomeActive(with: found[entry.location.url])
        case .replace(let entries):
            try requireOneLength(entries, found)
            take(try digests(saidBy: entries, rules))
            locations = entries.map { named($0.location, found) }
            becomeActive(with: entries.first.flatMap { found[$0.location.url] })
        case .remove(let position):
            if let index = index(of: position) { locations.remove(at: index) }
        }
    }

    /// Whichever location is read from, a download gives as many bytes as the image has.
    private func requireOneLength(
        _ entries: [LocationEntry],
        _ found: [String: ExternalData]
    ) throws(ServiceError) {
        var length = status == .queued ? nil : size
        for entry in entries {
            guard let byteCount = found[entry.location.url]?.byteCount else { continue }
            if let length, length != byteCount {
                throw ServiceError(
                    .invalidRequest,
                    "Invalid location: there are \(byteCount) bytes, but the image has \(length)."
                )
            }
            length = byteCount
        }
    }

    /// The store of a location is not the client's to say: for data that is there it stays, for other data it is the one
    /// that was asked, and none where there is no choice of stores.
    private func named(_ location: ImageLocation, _ found: [String: ExternalData]) -> ImageLocation {
        let known = locations.first { $0.url == location.url }?.store
        let store = found[location.url].map(\.store) ?? known
        var location = location
        location.metadata["store"] = store.map { .string($0) }
        return location
    }

    private mutating func becomeActive(with data: ExternalData?) {
        guard status == .queued, let data else { return }
        status = .active
        size = data.byteCount
    }

    private func index(of position: LocationPosition) -> Int? {
        switch position {
        case .index(let index): index < locations.count ? index : nil
        case .end: locations.isEmpty ? nil : locations.count - 1
        case .invalid: nil
        }
    }

    private func requireStatus(_ allowed: [ImageStatus], to verb: String) throws(ServiceError) {
        guard allowed.contains(status) else {
            throw ServiceError(
                .conflict,
                "It's not allowed to \(verb) locations if image status is \(status.rawValue)."
            )
        }
    }

    private func requireFormatsWhereQueued() throws(ServiceError) {
        if status == .queued { try requireFormats() }
    }

    /// Data is about to be kept, and both formats say what it is.
    ///
    /// - Throws: ``ServiceError`` (`invalidRequest`).
    public func requireFormats() throws(ServiceError) {
        switch (diskFormat, containerFormat) {
        case (nil, nil):
            throw ServiceError(
                .invalidRequest,
                "Properties disk_format, container_format must be set prior to saving data."
            )
        case (nil, _): throw ServiceError(.invalidRequest, "Property disk_format must be set prior to saving data.")
        case (_, nil):
            throw ServiceError(.invalidRequest, "Property container_format must be set prior to saving data.")
        case (_?, _?): break
        }
    }

    private static func requireRoom(for count: Int, _ rules: LocationRules) throws(ServiceError) {
        guard rules.quota >= 0, count > rules.quota else { return }
        throw ServiceError(
            .limitExceeded,
            "The limit has been exceeded on the number of allowed image locations. "
                + "Attempted: \(count), Maximum: \(rules.quota)"
        )
    }

    private static func requireDistinct(
        _ entries: [LocationEntry],
        among existing: [ImageLocation]
    ) throws(ServiceError) {
        var seen = existing
        for entry in entries {
            guard !seen.contains(where: { entry.location.repeats($0) }) else {
                throw ServiceError(.invalidRequest, "The location \(entry.location.url.excerpt) already exists")
            }
            seen.append(entry.location)
        }
    }
}

extension ImageLocation {
    /// Whether it says what the other says; the store may have been filled in there.
    fileprivate func repeats(_ other: ImageLocation) -> Bool {
        guard url == other.url else { return false }
        var (mine, others) = (metadata, other.metadata)
        if mine["store"] == nil { others["store"] = nil }
        if others["store"] == nil { mine["store"] = nil }
        return mine == others
    }
}

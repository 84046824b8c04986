/// What an `Accept` header asks for (RFC 9110 §12.5.1).
public struct MediaRanges: Sendable {
    private var ranges: [(type: String, subtype: String, quality: Double)] = []

    /// What cannot be read as a range is left out; a quality that is no number counts as 0.
    public init(accept: String) {
        for item in accept.split(separator: ",") {
            let parts = item.split(separator: ";")
            let words = (parts.first?.trimmed.lowercased() ?? "").split(
                separator: "/",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            guard words.count == 2, !words[0].isEmpty, !words[1].isEmpty else { continue }
            var quality = 1.0
            for parameter in parts.dropFirst() {
                let text = parameter.trimmed.lowercased()
                if text.hasPrefix("q=") { quality = Double(text.dropFirst(2)) ?? 0 }
            }
            ranges.append((String(words[0]), String(words[1]), quality))
        }
    }

    /// How much a type such as `text/html` is wanted, from 0 (not at all) to 1: what the range that names it most
    /// exactly says, the best of these where several do.
    public func quality(of mediaType: String) -> Double {
        let words = mediaType.split(separator: "/", maxSplits: 1)
        var best = (exactness: -1, quality: 0.0)
        for range in ranges {
            let exactness: Int
            switch (range.type, range.subtype) {
            case (words[0], words[1]): exactness = 2
            case (words[0], "*"): exactness = 1
            case ("*", "*"): exactness = 0
            default: continue
            }
            if (exactness, range.quality) > best { best = (exactness, range.quality) }
        }
        return min(max(best.quality, 0), 1)
    }

    /// The most wanted of these types, the first of them where several are wanted equally; `nil` when none is.
    public func best(of mediaTypes: [String]) -> String? {
        var best: (type: String, quality: Double)?
        for type in mediaTypes {
            let quality = quality(of: type)
            if quality > best?.quality ?? 0 { best = (type, quality) }
        }
        return best?.type
    }
}

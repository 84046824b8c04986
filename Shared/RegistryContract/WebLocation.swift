/// Locations that are addresses on the web: there lies the data of others, which is never deleted.
public enum WebLocation {
    /// How their URLs begin, with letters of either case.
    public static let prefixes = ["http://", "https://"]

    public static func has(_ url: String) -> Bool {
        prefixes.contains { url.prefix($0.count).lowercased() == $0 }
    }
}

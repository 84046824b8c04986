internal import Glibc

/// The name of this machine.
public enum HostName {
    /// Empty for a machine without one: the rest of what tells nodes apart has to do.
    public static var current: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

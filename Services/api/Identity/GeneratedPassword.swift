internal import Digests

/// A password to show once: 24 characters of 5 bits each, none of which looks like another.
public func generatePassword() -> String {
    // 32 characters, so that five bits of a random byte choose one of them evenly: no `l` and `1`, no `o` and `0`.
    let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)
    return String(decoding: randomBytes(24).map { alphabet[Int($0 & 31)] }, as: UTF8.self)
}

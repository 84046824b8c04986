internal import Glibc

/// The system's words for an error number.
func systemError(_ number: Int32) -> String {
    strerror(number).map { String(cString: $0) } ?? "error \(number)"
}

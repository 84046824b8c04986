import ImageModel
import Testing

/// Expects a refusal of that kind whose sentence holds the phrase, which clients and tests search for.
func expectRefusal(
    _ code: ServiceError.Code,
    _ phrase: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    let error = #expect(throws: ServiceError.self, sourceLocation: sourceLocation) { try body() }
    guard let error else { return }
    #expect(error.code == code, "\(error.message)", sourceLocation: sourceLocation)
    // Not `contains` of Swift's characters: the phrase must be there byte for byte.
    let message = Array(error.message.utf8)
    let wanted = Array(phrase.utf8)
    let isThere =
        message.count >= wanted.count
        && (0...(message.count - wanted.count)).contains { message[$0...].starts(with: wanted) }
    #expect(isThere, "'\(phrase)' is not in '\(error.message)'", sourceLocation: sourceLocation)
}

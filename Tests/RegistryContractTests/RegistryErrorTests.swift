import ImageModel
import RegistryContract
import Testing
import WireJSON

@Suite("Registry errors")
struct RegistryErrorTests {
    /// Every code with the status of its answer and what it becomes for the public API.
    static let table: [(RegistryError.Code, status: Int, ServiceError.Code)] = [
        (.notFound, 404, .notFound),
        (.forbidden, 403, .forbidden),
        (.invalid, 400, .invalidRequest),
        (.duplicate, 409, .conflict),
        (.wrongState, 409, .conflict),
        (.changedMeanwhile, 409, .conflict),
        (.leaseLost, 409, .gone),
        (.limitExceeded, 413, .limitExceeded),
        (.unauthenticated, 401, .internalError),
        (.unknownOperation, 404, .internalError),
        (.malformed, 400, .internalError),
        (.unsupportedProtocol, 400, .internalError),
        (.keyReused, 409, .internalError),
        (.overloaded, 503, .unavailable),
        (.unavailable, 503, .unavailable),
        (.internalError, 500, .internalError),
        (.tooExpensive, 503, .tooExpensive),
    ]

    @Test("every code has its status and its meaning for the public API")
    func codes() {
        #expect(Self.table.map(\.0) == RegistryError.Code.allCases)
        for (code, status, meaning) in Self.table {
            let error = RegistryError(code, "A sentence")
            #expect(error.httpStatus == status, "\(code)")
            #expect(ServiceError(error).code == meaning, "\(code)")
            #expect(error.isRetryable == (meaning == .unavailable), "\(code)")
        }
    }

    @Test("what only a bug or a misconfiguration can cause tells the client nothing")
    func nothingLeaks() {
        for (code, _, meaning) in Self.table {
            let translated = ServiceError(RegistryError(code, "database secret.db at 10.0.0.1", field: "key"))
            #expect((translated.cause as? RegistryError)?.code == code)
            if meaning == .internalError {
                #expect(
                    translated.message
                        == "The server has either erred or is incapable of performing the requested operation."
                )
            } else {
                #expect(translated.message == "database secret.db at 10.0.0.1")
            }
        }
    }

    @Test("an unknown code, from a newer registry, reads as an internal error")
    func unknownCode() throws {
        let error = try RegistryError(json: ["error": "quotaOfTheFuture", "message": "Too much", "field": "size"])
        #expect(error == RegistryError(.internalError, "Too much", field: "size"))
    }

    @Test("an error is this JSON")
    func golden() {
        #expect(
            String(decoding: RegistryError(.invalid, "Too \"long\"", field: "name").jsonBytes, as: UTF8.self)
                == #"{"error":"invalid","message":"Too \"long\"","field":"name"}"#
        )
    }

    @Test("both sides speak the newest version that both know")
    func negotiation() {
        let (oldest, current) = (RegistryProtocol.oldest, RegistryProtocol.current)
        let table: [(theirOldest: Int, theirCurrent: Int, Int?)] = [
            (oldest, current, current),
            (oldest, current + 1, current),
            (current, current + 1, current),
            (current + 1, current + 2, nil),
            (oldest - 2, oldest - 1, nil),
            (oldest - 1, oldest, oldest),
            (current, oldest - 1, nil),
        ]
        for (theirOldest, theirCurrent, version) in table {
            #expect(
                RegistryProtocol.negotiated(theirOldest: theirOldest, theirCurrent: theirCurrent) == version,
                "\(theirOldest)-\(theirCurrent)"
            )
        }
    }
}

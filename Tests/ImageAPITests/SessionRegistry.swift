import ImageModel
import RegistryContract
import Synchronization

/// A registry that extends the lease of a session, and answers for its end what it is told to.
final class SessionRegistry: RegistryClient {
    static let lease = SessionLease(leaseSeconds: 3_600, expiresAt: Timestamp(microseconds: 1))

    private let lease: SessionLease
    private let finish: RegistryError.Code?
    private let abort: Result<AbortedUpload, RegistryError>
    private let asked = Mutex<[String]>([])

    init(
        lease: SessionLease = SessionRegistry.lease,
        finish: RegistryError.Code? = nil,
        abort: Result<AbortedUpload, RegistryError> = .success(AbortedUpload(isFinished: false))
    ) {
        self.lease = lease
        self.finish = finish
        self.abort = abort
    }

    var operations: [String] { asked.withLock { $0 } }

    func call<Operation: RegistryOperation>(
        _ operation: Operation,
        as caller: Caller,
        requestID: String
    ) async throws(RegistryError) -> Operation.Response {
        asked.withLock { $0.append(Operation.name) }
        let answer: (any Sendable)?
        switch operation {
        case is RecordSession: answer = lease
        case is AbortUpload: answer = try abort.get()
        case is FinishUpload:
            if let finish { throw RegistryError(finish, "The attempt is over") }
            answer = nil
        default: answer = nil
        }
        guard let answer = answer as? Operation.Response else {
            throw RegistryError(.unknownOperation, "Nobody expects \(Operation.name)")
        }
        return answer
    }
}

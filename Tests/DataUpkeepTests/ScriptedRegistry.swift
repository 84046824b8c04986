import ImageModel
import RegistryContract
import Synchronization

/// A registry of a few deletions or copies, that remembers what it was told of them.
final class ScriptedRegistry: RegistryClient {
    struct State {
        var deletions: [PendingDeletion] = []
        var finished: Set<Int64> = []
        var postponed: Set<Int64> = []
        var copies: [StoredCopy] = []
        var results: [VerificationResult] = []
        /// Whether the copy is still an image's when its result comes.
        var isCurrent = true
    }

    private let state: Mutex<State>

    init(_ state: State) { self.state = Mutex(state) }

    var told: State { state.withLock { $0 } }

    func call<Operation: RegistryOperation>(
        _ operation: Operation,
        as caller: Caller,
        requestID: String
    ) async throws(RegistryError) -> Operation.Response {
        let answer = state.withLock { Self.answer(to: operation, &$0) }
        guard let answer = answer as? Operation.Response else {
            throw RegistryError(.unknownOperation, "Nobody expects \(Operation.name)")
        }
        return answer
    }

    private static func answer(to operation: any RegistryOperation, _ state: inout State) -> (any Sendable)? {
        switch operation {
        case let scrubs as ClaimScrubs:
            let claim = scrubs.claim
            let batch = state.deletions
                .filter { $0.id > scrubs.after && claim.stores.contains($0.store ?? "") }.prefix(Int(claim.limit))
            return ScrubBatch(deletions: Array(batch), last: batch.last?.id)
        case let finish as FinishDeletions: state.finished.formUnion(finish.ids)
        case let postpone as PostponeDeletions: state.postponed.formUnion(postpone.ids)
        case is ClaimVerification:
            return NextCopy(copy: state.copies.isEmpty ? nil : state.copies.removeFirst(), leaseSeconds: 60)
        case let record as RecordVerification:
            state.results.append(record.result)
            return VerificationState(isCurrent: state.isCurrent)
        case is ListDamage: return DamagePage(copies: [], total: 0)
        default: return nil
        }
        return Done()
    }
}

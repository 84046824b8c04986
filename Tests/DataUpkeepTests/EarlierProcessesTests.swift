import DataUpkeep
import ImageModel
import RegistryContract
import Synchronization
import Testing

@Suite("EarlierProcesses")
struct EarlierProcessesTests {
    private let holder = Holder(node: "n", process: "now")

    private func released(_ holding: [String], living: Set<String>) async throws -> (all: Bool, ended: [[String]]) {
        let registry = HoldingRegistry(holding)
        let earlier = EarlierProcesses(registry: registry, holder: holder) { living.contains($0) }
        return (try await earlier.release(), registry.ended)
    }

    @Test("nobody held anything: nothing is asked for")
    func none() async throws {
        let (all, ended) = try await released([], living: ["other"])
        #expect(all)
        #expect(ended.isEmpty)
    }

    @Test("what those held that live no more is given up, in one request")
    func dead() async throws {
        let (all, ended) = try await released(["1a", "1b"], living: [])
        #expect(all)
        #expect(ended == [["1a", "1b"]])
    }

    @Test("nothing is taken from one that lives, and it is asked about again")
    func living() async throws {
        let (all, ended) = try await released(["1a", "1b"], living: ["1b"])
        #expect(!all)
        #expect(ended == [["1a"]])
        let only = try await released(["1b"], living: ["1b"])
        #expect(!only.all)
        #expect(only.ended.isEmpty)
    }
}

/// A registry of which processes of a node hold something.
private final class HoldingRegistry: RegistryClient {
    private let holding: [String]
    private let released = Mutex<[[String]]>([])

    init(_ holding: [String]) { self.holding = holding }

    /// What each request gave up.
    var ended: [[String]] { released.withLock { $0 } }

    func call<Operation: RegistryOperation>(
        _ operation: Operation,
        as caller: Caller,
        requestID: String
    ) async throws(RegistryError) -> Operation.Response {
        switch operation {
        case is ListProcesses:
            if let answer = HoldingProcesses(processes: holding) as? Operation.Response { return answer }
        case let release as ReleaseUploads:
            released.withLock { $0.append(release.ended) }
            if let answer = Done() as? Operation.Response { return answer }
        default: break
        }
        throw RegistryError(.unknownOperation, "Nobody expects \(Operation.name)")
    }
}

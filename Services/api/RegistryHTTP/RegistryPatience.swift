internal import RegistryContract

/// How long an operation is repeated before the caller is told that the registry does not answer.
public struct RegistryPatience: Sendable {
    public var reads: Duration
    /// Longer: behind writes stand an upload's bytes.
    public var writes: Duration

    public init(reads: Duration = .seconds(8), writes: Duration = .seconds(20)) {
        self.reads = reads
        self.writes = writes
    }

    func time(for effect: RegistryEffect) -> Duration {
        switch effect {
        case .reads: reads
        case .repeatable, .once: writes
        }
    }
}

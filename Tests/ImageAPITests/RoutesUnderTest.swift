import Hummingbird
import Identity
import ImageModel
import Logging
import Policy
import RegistryContract
import ServiceKit
import StoreLayer

@testable import ImageAPI

/// The API's own routes, put together as the program does, with nothing behind them.
enum RoutesUnderTest {
    static func table() -> RouteTable { responder().table }

    /// All that answers requests, for a caller of some identity.
    static func responder(
        _ catalogue: StoreCatalogue = StoreCatalogue(single: StubStore("only")),
        registry: any RegistryClient = AbsentRegistry(),
        identity: any IdentityProvider = NoAuthIdentity(),
        policy: ImagePolicy = ImagePolicy()
    ) -> ImageResponder {
        ImageService(
            settings: ImageAPISettings(schema: ImageSchema(), limits: ImageLimits(), catalogue: catalogue),
            registry: registry,
            identity: identity,
            policy: policy,
            monitoring: Monitoring(metrics: PrometheusMetrics()) { nil },
            digestThreads: WorkerThreads(count: 1),
            holder: Holder(node: "test", process: "test"),
            lives: { _ in false },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ).responder
    }
}

/// A registry that never answers.
struct AbsentRegistry: RegistryClient {
    func call<Operation: RegistryOperation>(
        _ operation: Operation,
        as caller: Caller,
        requestID: String
    ) async throws(RegistryError) -> Operation.Response {
        throw RegistryError(.unavailable, "There is none.")
    }
}

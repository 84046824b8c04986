// swift-tools-version:6.2
import PackageDescription

// Dependencies are paid for in minutes of everybody's clean build; each says what it is for.
let dependencies: [Package.Dependency] = [
    // The HTTP/1.1 server. Its configuration and full-Foundation traits are left out: we use neither.
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    // Sockets and event loops; the registry client is written on it directly.
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    // Outgoing HTTP to whatever is not our registry: Keystone, locations on the web; with TLS as configured.
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0", traits: []),
    // HTTP/1.1 connection plumbing shared with Hummingbird.
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    // TLS of the outgoing calls, between the services and to clients; Hummingbird's own TLS cannot change certificates
    // while it serves.
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
    // Logging and metrics façades; the back ends are in ServiceKit.
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    // Start, stop and failure as structure.
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    // Command lines.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // Policy files, which are YAML.
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
]

let features = ["ExistentialAny", "MemberImportVisibility", "InternalImportsByDefault"]
let settings: [SwiftSetting] = features.map { .enableUpcomingFeature($0) } + [.treatAllWarnings(as: .error)]

func library(_ name: String, at path: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

func program(_ name: String, at path: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: settings)
}

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")

let package = Package(
    name: "glance",
    products: [
        .executable(name: "glance-api", targets: ["GlanceAPI"]),
        .executable(name: "glance-registry", targets: ["GlanceRegistry"]),
        .executable(name: "glance-manage", targets: ["Manage"]),
        .executable(name: "glance-scrubber", targets: ["Scrubber"]),
        .executable(name: "glance-policy", targets: ["PolicyTool"]),
    ],
    dependencies: dependencies,
    targets: [
        // Shared: what both services speak of.
        library("WireJSON", at: "Shared/WireJSON"),
        library("ImageModel", at: "Shared/ImageModel", ["WireJSON"]),
        .systemLibrary(
            name: "CCrypto",
            path: "Shared/System/CCrypto",
            pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"])]
        ),
        .systemLibrary(name: "CCrypt", path: "Shared/System/CCrypt", providers: [.apt(["libcrypt-dev"])]),
        // Calls of Linux that the Glibc module has not.
        .systemLibrary(name: "CFileSystem", path: "Shared/System/CFileSystem"),
        .systemLibrary(name: "CMalloc", path: "Shared/System/CMalloc"),
        .systemLibrary(
            name: "CSQLite",
            path: "Shared/System/CSQLite",
            pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"])]
        ),
        .systemLibrary(
            name: "CPostgreSQL",
            path: "Shared/System/CPostgreSQL",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"])]
        ),
        library("Digests", at: "Shared/Digests", ["CCrypto"]),
        library("StoreLayout", at: "Shared/StoreLayout"),
        library("RegistryContract", at: "Shared/RegistryContract", ["ImageModel", "Digests", "WireJSON"]),
        library(
            "ServiceKit",
            at: "Shared/ServiceKit",
            [
                "ImageModel", "Digests", "WireJSON", hummingbird, httpTypes, logging, metrics, lifecycle, signals,
                nioCore,
                nioPosix, nioHTTP1, nioHTTPTypes, nioSSL, arguments,
            ]
        ),

        // The API service.
        library("OutgoingHTTP", at: "Services/api/OutgoingHTTP", [httpClient, nioPosix]),
        library(
            "Identity",
            at: "Services/api/Identity",
            [
                "OutgoingHTTP", "ImageModel", "ServiceKit", "Digests", "WireJSON", "CCrypt", httpTypes, logging,
                metrics, httpClient, nioCore, nioPosix, nioHTTP1, nioSSL,
            ]
        ),
        library("PolicyLanguage", at: "Services/api/PolicyLanguage"),
        library(
            "Policy",
            at: "Services/api/Policy",
            ["PolicyLanguage", "ImageModel", "ServiceKit", "WireJSON", logging, yams]
        ),
        library(
            "PolicyHTTP",
            at: "Services/api/PolicyHTTP",
            [
                "OutgoingHTTP", "Policy", "PolicyLanguage", "ServiceKit", "WireJSON", httpClient, nioCore, nioSSL,
                nioHTTP1,
            ]
        ),
        library("ImageFormats", at: "Services/api/ImageFormats"),
        library(
            "StoreLayer",
            at: "Services/api/Stores/StoreLayer",
            ["Digests", "ImageFormats", "StoreLayout", "WireJSON", nioCore]
        ),
        library(
            "StoreFile",
            at: "Services/api/Stores/StoreFile",
            ["StoreLayer", "StoreLayout", "WireJSON", "CFileSystem", nioCore]
        ),
        library("Fetching", at: "Services/api/Fetching", [httpClient, nioCore, nioPosix, nioSSL, nioHTTP1]),
        library("StoreHTTP", at: "Services/api/Stores/StoreHTTP", ["StoreLayer", "Fetching", nioCore]),
        library(
            "RegistryHTTP",
            at: "Services/api/RegistryHTTP",
            [
                "RegistryContract", "ImageModel", "ServiceKit", "Digests", "WireJSON", nioCore, nioPosix, nioHTTP1,
                nioSSL, logging, metrics,
            ]
        ),
        // What keeps stores and records in step, for the API and for the scrubber.
        library(
            "DataUpkeep",
            at: "Services/api/DataUpkeep",
            ["Digests", "ImageModel", "RegistryContract", "StoreLayer", logging, metrics, nioCore]
        ),
        // The options by which the API and the scrubber find their registries and stores.
        library(
            "NodeOptions",
            at: "Services/api/NodeOptions",
            [
                "StoreLayer", "StoreFile", "StoreHTTP", "Fetching", "RegistryHTTP", "RegistryContract", "ServiceKit",
                logging, nioPosix,
            ]
        ),
        library(
            "ImageAPI",
            at: "Services/api/ImageAPI",
            [
                "ImageModel", "ImageFormats", "RegistryContract", "StoreLayer", "DataUpkeep", "Identity", "Policy",
                "ServiceKit", "Digests", "WireJSON",
                hummingbird, httpTypes, logging, metrics, lifecycle, nioCore,
            ]
        ),
        program(
            "GlanceAPI",
            at: "Services/api/GlanceAPI",
            [
                "ImageAPI", "ImageModel", "ImageFormats", "Identity", "Policy", "PolicyHTTP", "NodeOptions",
                "StoreLayer",
                "RegistryContract", "RegistryHTTP", "ServiceKit", "Digests", "CMalloc", hummingbird, logging, metrics,
                lifecycle,
                arguments,
                nioCore,
            ]
        ),

        program(
            "Scrubber",
            at: "Services/api/Scrubber",
            [
                "DataUpkeep", "NodeOptions", "StoreLayer", "RegistryHTTP", "RegistryContract", "ImageModel",
                "ServiceKit",
                arguments, logging, metrics, lifecycle, nioCore,
            ]
        ),
        program(
            "PolicyTool",
            at: "Services/api/PolicyTool",
            ["Policy", "PolicyLanguage", "ImageModel", "ServiceKit", "WireJSON", arguments, logging]
        ),

        // The registry service.
        library(
            "RegistryDatabase",
            at: "Services/registry/RegistryDatabase",
            ["RegistryContract", "ImageModel", "ServiceKit", "WireJSON", "CSQLite", "CPostgreSQL", logging]
        ),
        library(
            "ImageRegistry",
            at: "Services/registry/ImageRegistry",
            [
                "ImageModel", "RegistryContract", "RegistryDatabase", "ServiceKit", "Digests", "WireJSON", hummingbird,
                httpTypes, logging, metrics, lifecycle, nioCore,
            ]
        ),
        program(
            "GlanceRegistry",
            at: "Services/registry/GlanceRegistry",
            [
                "ImageRegistry", "RegistryDatabase", "RegistryContract", "ServiceKit", "ImageModel", hummingbird,
                logging,
                metrics, lifecycle, arguments,
            ]
        ),
        program(
            "Manage",
            at: "Services/registry/Manage",
            ["RegistryDatabase", "ServiceKit", "ImageModel", "StoreLayout", arguments, logging]
        ),
    ],
    swiftLanguageModes: [.v6]
)

// Tests need no more packages than the services do, so they are always declared; a release build does not build them.
package.targets += [
    .testTarget(name: "TidyTests", path: "Tests/TidyTests", exclude: ["imports.txt"], swiftSettings: settings),
    tests("WireJSONTests", ["WireJSON"]),
    tests("ImageModelTests", ["ImageModel", "WireJSON"]),
    tests("DigestsTests", ["Digests"]),
    tests("RegistryContractTests", ["RegistryContract", "ImageModel", "Digests", "WireJSON"]),
    tests("ServiceKitTests", ["ServiceKit", "ImageModel", logging, metrics, lifecycle, nioCore, nioSSL]),
    tests(
        "IdentityTests",
        [
            "Identity", "ImageModel", "ServiceKit", "Digests", "WireJSON", httpTypes, logging, nioCore, nioPosix,
            nioHTTP1,
        ]
    ),
    tests(
        "KeystoneTests",
        ["Identity", "ImageModel", "ServiceKit", "WireJSON", httpTypes, logging, nioCore, nioPosix, nioHTTP1]
    ),
    tests("PolicyLanguageTests", ["PolicyLanguage"]),
    tests("PolicyTests", ["Policy", "PolicyLanguage", "ImageModel", "ServiceKit", "WireJSON", logging]),
    tests("ImageFormatsTests", ["ImageFormats", "Digests"]),
    tests(
        "StoreConformanceTests",
        [
            "StoreLayer", "StoreFile", "StoreHTTP", "Fetching", "ServiceKit", "Digests", "WireJSON", nioCore, nioPosix,
            nioHTTP1,
        ]
    ),
    tests(
        "DataUpkeepTests",
        ["DataUpkeep", "RegistryContract", "StoreLayer", "ImageModel", "Digests", logging, nioCore]
    ),
    tests("FetchingTests", ["Fetching"]),
    tests(
        "DatabaseConformanceTests",
        ["RegistryDatabase", "RegistryContract", "ImageModel", "ServiceKit", "WireJSON", "CSQLite", logging]
    ),
    tests(
        "ImageAPITests",
        [
            "ImageAPI", "ImageModel", "ImageFormats", "RegistryContract", "StoreLayer", "DataUpkeep", "Identity",
            "Policy", "ServiceKit", "Digests", "WireJSON", hummingbird, httpTypes, logging, nioCore, nioPosix,
        ]
    ),
    tests(
        "RegistryHTTPTests",
        [
            "RegistryHTTP", "ImageRegistry", "RegistryDatabase", "RegistryContract", "ImageModel", "ServiceKit",
            "Digests",
            "WireJSON", hummingbird, httpTypes, logging, metrics, lifecycle, nioCore, nioPosix,
        ]
    ),
]

// The benchmark program measures any image service from outside; it is built only when asked for (`make bench`).
if Context.environment["GLANCE_BENCHMARKS"] != nil {
    package.products.append(.executable(name: "glance-bench", targets: ["Bench"]))
    package.targets.append(
        program("Bench", at: "Benchmarks/Bench", [arguments, nioCore, nioPosix, nioHTTP1])
    )
    package.products.append(.executable(name: "glance-parts", targets: ["Parts"]))
    package.targets.append(
        program("Parts", at: "Benchmarks/Parts", ["Digests", "ServiceKit", hummingbird, arguments, logging])
    )
}

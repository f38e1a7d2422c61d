// swift-tools-version: 6.2
import PackageDescription

/// Applied to every Swift target: Swift 6 mode comes with the tools version.
let settings: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

func systemLibrary(_ name: String, pkgConfig: String, debian: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([debian])])
}

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], data: [String] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], exclude: data,
    swiftSettings: settings)
}

let package = Package(
  name: "sojourn",
  products: [.executable(name: "sojourn", targets: ["sojourn"])],
  targets: [
    // Module maps of C libraries, no code.
    systemLibrary("CRdKafka", pkgConfig: "rdkafka", debian: "librdkafka-dev"),
    systemLibrary("CLMDB", pkgConfig: "lmdb", debian: "liblmdb-dev"),
    systemLibrary("CSQLite", pkgConfig: "sqlite3", debian: "libsqlite3-dev"),
    systemLibrary("CPostgres", pkgConfig: "libpq", debian: "libpq-dev"),
    systemLibrary("CCrypto", pkgConfig: "libcrypto", debian: "libssl-dev"),
    systemLibrary("CXXHash", pkgConfig: "libxxhash", debian: "libxxhash-dev"),
    .systemLibrary(name: "CLinux"),
    // A C face for simdjson, which is C++.
    .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),

    // Pure: no I/O, no clock of their own.
    library("SessionModel", ["CCrypto"]),
    library("Windowing", ["SessionModel"]),
    library("EventDecoding", ["SessionModel", "CSimdJSON"]),
    library("TrafficGenerator", ["SessionModel"]),
    library("Configuration", ["SessionModel"]),

    // Threads, clocks, files, signals of the operating system.
    library("Platform", ["CLinux"]),
    // Results and messages: tables, JSON, progress, nothing that could steer a terminal.
    library("Console", ["SessionModel", "Platform"]),

    // The only importers of their C libraries.
    library("StateStore", ["SessionModel", "Platform", "CLMDB", "CXXHash"]),
    library("KafkaClient", ["SessionModel", "Platform", "CRdKafka"]),
    library("EventSources", ["SessionModel", "Platform", "KafkaClient", "CXXHash"]),
    library("Sinks", ["SessionModel", "Platform", "CSQLite", "CPostgres"]),

    // The one way through, and the command line on top of it.
    library(
      "Pipeline",
      [
        "SessionModel", "Windowing", "EventDecoding", "StateStore", "EventSources", "Sinks",
        "Platform",
      ]),
    .executableTarget(
      name: "sojourn",
      dependencies: [
        "SessionModel", "Configuration", "Console", "Pipeline", "EventDecoding", "StateStore",
        "KafkaClient", "EventSources", "Sinks", "TrafficGenerator", "Platform",
      ], swiftSettings: settings),

    // `make bench`: a bare reader in C to compare with, and a count of allocations.
    .target(name: "CBench", dependencies: ["CRdKafka"]),
    .executableTarget(
      name: "sojourn-bench",
      dependencies: [
        "CBench", "SessionModel", "Pipeline", "EventDecoding", "Windowing", "StateStore",
        "KafkaClient", "EventSources", "Sinks", "Platform",
      ], swiftSettings: settings),

    .target(
      name: "TestSupport",
      dependencies: ["SessionModel", "Platform", "CSQLite", "CPostgres"],
      path: "Tests/TestSupport", swiftSettings: settings),
    tests("SessionModelTests", ["SessionModel", "CCrypto"]),
    tests("WindowingTests", ["Windowing", "SessionModel"]),
    tests("EventDecodingTests", ["EventDecoding", "SessionModel"]),
    tests("TrafficGeneratorTests", ["TrafficGenerator", "EventDecoding", "SessionModel"]),
    tests("ConfigurationTests", ["Configuration", "SessionModel"]),
    tests("ConsoleTests", ["Console", "SessionModel", "Platform"]),
    tests("StateStoreTests", ["StateStore", "SessionModel", "Platform"], data: ["Golden"]),
    tests("KafkaTests", ["KafkaClient", "EventSources", "SessionModel", "Platform"]),
    tests("SinksTests", ["Sinks", "SessionModel", "Platform", "CSQLite"]),
    tests(
      "PipelineTests",
      [
        "Pipeline", "SessionModel", "Windowing", "EventDecoding", "StateStore", "EventSources",
        "Sinks", "Platform",
      ]),
    tests("EndToEndTests", ["KafkaClient", "SessionModel", "Platform", "CSQLite", "sojourn"]),
  ],
  cxxLanguageStandard: .cxx20
)

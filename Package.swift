// swift-tools-version: 6.2
import PackageDescription

/// Faults that the simulator has to find; the ordinary build holds none.
let plantedBugs: [SwiftSetting] =
  Context.environment["SOJOURN_PLANTED_BUGS"] == nil ? [] : [.define("PLANTED_BUGS")]

/// Applied to every Swift target: Swift 6 mode comes with the tools version.
let settings: [SwiftSetting] =
  [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ] + plantedBugs

func systemLibrary(_ name: String, pkgConfig: String, debian: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([debian])])
}

func library(
  _ name: String, _ dependencies: [Target.Dependency], embedding files: [String] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, resources: files.map { .embedInCode($0) },
    swiftSettings: settings)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], data: [String] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], exclude: data,
    swiftSettings: settings)
}

/// Programs for libFuzzer, which .ci/fuzz.sh builds with its flags; the ordinary build knows none.
let fuzzing: [Target] =
  Context.environment["SOJOURN_FUZZ"] == nil
  ? []
  : [
    .systemLibrary(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
    .executableTarget(
      name: "sojourn-fuzz", dependencies: ["CFuzzer", "FuzzTargets"], path: "Tests/Fuzz/Driver",
      swiftSettings: settings),
  ]

let package = Package(
  name: "sojourn",
  products: [
    .executable(name: "sojourn", targets: ["sojourn"]),
    // What tests preload into the program, to have its system calls fail.
    .library(name: "FaultShim", type: .dynamic, targets: ["FaultShim"]),
  ],
  targets: [
    // Module maps of C libraries, no code.
    systemLibrary("CRdKafka", pkgConfig: "rdkafka", debian: "librdkafka-dev"),
    systemLibrary("CLMDB", pkgConfig: "lmdb", debian: "liblmdb-dev"),
    systemLibrary("CSQLite", pkgConfig: "sqlite3", debian: "libsqlite3-dev"),
    systemLibrary("CPostgres", pkgConfig: "libpq", debian: "libpq-dev"),
    systemLibrary("CCrypto", pkgConfig: "libcrypto", debian: "libssl-dev"),
    systemLibrary("CXXHash", pkgConfig: "libxxhash", debian: "libxxhash-dev"),
    systemLibrary("CMaxMindDB", pkgConfig: "libmaxminddb", debian: "libmaxminddb-dev"),
    systemLibrary("CCurl", pkgConfig: "libcurl", debian: "libcurl4-openssl-dev"),
    systemLibrary("CYAML", pkgConfig: "yaml-0.1", debian: "libyaml-dev"),
    // One instruction that Swift has no name for.
    .systemLibrary(name: "CPrefetch"),
    // A C face for simdjson and RE2, which are C++, and for what only C sees of glibc.
    .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
    .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CLinux"),

    // Pure: no I/O, no clock of their own.
    library("SessionModel", ["CCrypto"]),
    library("Windowing", ["SessionModel", "CXXHash", "CPrefetch"]),
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
    library(
      "Sinks", ["SessionModel", "Platform", "KafkaClient", "CSQLite", "CPostgres"],
      embedding: ["Iceberg/iceberg_helper.py", "Iceberg/requirements.txt"]),
    library(
      "Enrichment",
      ["SessionModel", "Platform", "CMaxMindDB", "CCurl", "CSimdJSON", "CRE2", "CYAML"]),

    // The one way through, and the command line on top of it.
    library(
      "Pipeline",
      [
        "SessionModel", "Windowing", "EventDecoding", "StateStore", "EventSources", "Sinks",
        "Enrichment", "Platform",
      ]),
    // Strikes the program from outside, as a process.
    library(
      "Drill",
      [
        "SessionModel", "Platform", "KafkaClient", "StateStore", "Sinks", "Enrichment",
        "TrafficGenerator",
      ]),
    .executableTarget(
      name: "sojourn",
      dependencies: [
        "SessionModel", "Configuration", "Console", "Pipeline", "EventDecoding", "StateStore",
        "KafkaClient", "EventSources", "Sinks", "Enrichment", "TrafficGenerator", "Platform",
        "Drill",
      ], swiftSettings: settings),

    // `make bench`: a bare reader in C to compare with, and a count of allocations.
    .target(name: "CBench", dependencies: ["CRdKafka"]),
    .executableTarget(
      name: "sojourn-bench",
      dependencies: [
        "CBench", "SessionModel", "Pipeline", "EventDecoding", "Windowing", "StateStore",
        "KafkaClient", "EventSources", "Sinks", "Enrichment", "Platform", "Drill",
      ], swiftSettings: settings),

    // The whole pipeline in one thread, under simulated time and faults.
    .target(
      name: "Simulator",
      dependencies: [
        "Pipeline", "SessionModel", "EventDecoding", "StateStore", "EventSources", "Sinks",
        "Enrichment", "Platform", "TestSupport",
      ], path: "Tests/Simulator", swiftSettings: settings),
    .executableTarget(
      name: "sojourn-simulator", dependencies: ["Simulator", "SessionModel"],
      path: "Tests/SimulatorProgram", swiftSettings: settings),
    // Nothing may depend on it: its `write` would be that of the whole program.
    .target(name: "FaultShim", path: "Tests/FaultShim"),
    .target(
      name: "TestSupport",
      dependencies: ["SessionModel", "StateStore", "Platform", "CSQLite", "CPostgres"],
      path: "Tests/TestSupport", swiftSettings: settings),
    // Damages state files and looks what becomes of them; a child process does it.
    .executableTarget(
      name: "sojourn-damage",
      dependencies: ["SessionModel", "StateStore", "Platform", "TestSupport"],
      path: "Tests/DamageProgram", swiftSettings: settings),
    // What hostile bytes can reach, as properties: for the fuzzer, and for tests on kept inputs.
    .target(
      name: "FuzzTargets",
      dependencies: [
        "SessionModel", "EventDecoding", "Configuration", "StateStore", "Windowing", "Sinks",
        "TestSupport",
      ], path: "Tests/Fuzz/Targets", swiftSettings: settings),
    tests("FuzzTests", ["FuzzTargets", "Platform"]),
    tests("SessionModelTests", ["SessionModel", "CCrypto"]),
    tests("WindowingTests", ["Windowing", "SessionModel"]),
    tests("EnrichmentTests", ["Enrichment", "SessionModel", "Platform", "Drill"]),
    tests("EventDecodingTests", ["EventDecoding", "SessionModel"]),
    tests("TrafficGeneratorTests", ["TrafficGenerator", "EventDecoding", "SessionModel"]),
    tests("ConfigurationTests", ["Configuration", "EventDecoding", "SessionModel"]),
    tests("ConsoleTests", ["Console", "SessionModel", "Platform"]),
    tests("StateStoreTests", ["StateStore", "SessionModel", "Platform"], data: ["Golden"]),
    tests("KafkaTests", ["KafkaClient", "EventSources", "SessionModel", "Platform"]),
    tests("SinksTests", ["Sinks", "SessionModel", "Platform", "CSQLite", "KafkaClient"]),
    tests(
      "PipelineTests",
      [
        "Pipeline", "SessionModel", "Windowing", "EventDecoding", "StateStore", "EventSources",
        "Sinks", "Enrichment", "Platform",
      ]),
    tests("SimulatorTests", ["Simulator", "Platform"]),
    tests("DrillTests", ["Drill", "Sinks", "SessionModel"]),
    tests(
      "EndToEndTests",
      ["KafkaClient", "SessionModel", "StateStore", "Platform", "Drill", "CSQLite", "sojourn"]),
  ] + fuzzing,
  cxxLanguageStandard: .cxx20
)

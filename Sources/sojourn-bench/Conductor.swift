import Glibc
import Platform

/// Loads a topic once, runs every stage over it several times in turn, and prints the ratios.
enum Conductor {
  private static let rounds = 3
  /// More where the difference that is looked for is small.
  private static let enrichmentRounds = 9
  private static let topic = "bench"
  /// The embedded cluster keeps 5 MiB of compressed batches per partition.
  private static let partitions: Int32 = 64

  private struct Figures {
    var cpu: Double
    var wall: Double
    var allocations: Double
    var peakMegabytes: Double
  }

  static func run(_ arguments: [String]) -> Int32 {
    guard arguments.count == 3, let events = Int(arguments[1]) else { return usage() }
    do {
      try measure(sojourn: arguments[0], events: events, directory: arguments[2]) { cluster in
        printWay(
          try rounds(rounds, of: Stage.way, cluster, events: events, directory: arguments[2]))
      }
      return 0
    } catch {
      say("\(error)")
      return 1
    }
  }

  /// The same job with enrichment and without, in turn.
  static func runEnrichment(_ arguments: [String]) -> Int32 {
    guard (3...4).contains(arguments.count), let events = Int(arguments[1]) else { return usage() }
    let mmdb = arguments.count == 4 ? arguments[3] : nil
    do {
      try measure(sojourn: arguments[0], events: events, directory: arguments[2]) { cluster in
        printEnrichment(
          try rounds(
            enrichmentRounds, of: Stage.enrichment, cluster, events: events,
            directory: arguments[2], mmdb: mmdb), mmdb)
      }
      return 0
    } catch {
      say("\(error)")
      return 1
    }
  }

  private static func measure(
    sojourn: String, events: Int, directory: String, _ body: (BenchCluster) throws -> Void
  ) throws {
    let cluster = try BenchCluster(
      sojourn, topic: topic, partitions: partitions, directory: directory)
    defer { cluster.stop() }
    say("loading \(events) events into \(partitions) partitions at \(cluster.brokers)")
    try cluster.feed(["--events", "\(events)", "--seed", "1", "--rate", "2000"])
    try body(cluster)
  }

  private static func rounds(
    _ rounds: Int, of stages: [Stage], _ cluster: BenchCluster, events: Int, directory: String,
    mmdb: String? = nil
  ) throws -> [Stage: Figures] {
    var results: [Stage: [Figures]] = [:]
    for round in 1...rounds {
      for stage in stages {
        say("round \(round) of \(rounds): \(stage)")
        results[stage, default: []].append(
          try runStage(
            stage, brokers: cluster.brokers, events: events, directory: directory, round, mmdb))
      }
    }
    return results.mapValues(median)
  }

  private static func runStage(
    _ stage: Stage, brokers: String, events: Int, directory: String, _ round: Int,
    _ mmdb: String?
  ) throws -> Figures {
    let own = directory + "/\(stage)-\(round)"
    try Files.makeDirectory(own)
    let output = own + "/figures"
    let child = try ChildProcess(
      CommandLine.arguments[0],
      ["stage", stage.rawValue, brokers, topic, "\(partitions)", own] + (mmdb.map { [$0] } ?? []),
      standardOutput: output,
      standardError: directory + "/stage.err")
    guard child.wait() == .exited(0) else { throw BenchFailure("stage \(stage) failed") }
    let numbers = String(decoding: try Files.read(output), as: UTF8.self)
      .split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    guard numbers.count == 5, Int(numbers[0]) == events else {
      throw BenchFailure("stage \(stage) read \(numbers.first ?? 0) of \(events) events")
    }
    return Figures(
      cpu: numbers[1] / numbers[0], wall: numbers[2] / numbers[0],
      allocations: numbers[3] / numbers[0], peakMegabytes: numbers[4] / 1_024)
  }

  private static func median(_ figures: [Figures]) -> Figures {
    func middle(_ key: KeyPath<Figures, Double>) -> Double {
      figures.map { $0[keyPath: key] }.sorted()[figures.count / 2]
    }
    return Figures(
      cpu: middle(\.cpu), wall: middle(\.wall), allocations: middle(\.allocations),
      peakMegabytes: middle(\.peakMegabytes))
  }

  private static func printWay(_ results: [Stage: Figures]) {
    guard let base = results[.read] else { return }
    print("| stage | events/s | CPU µs/event | CPU ÷ bare read | allocations/event | peak MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for stage in Stage.way {
      guard let figures = results[stage] else { continue }
      let cells = [
        "\(stage)", "\(Int(1_000_000 / figures.wall))", decimal(figures.cpu),
        decimal(figures.cpu / base.cpu),
        // The bare reader's own thread allocates in C; only ours are of interest.
        decimal(figures.allocations), "\(Int(figures.peakMegabytes))",
      ]
      print("| " + cells.joined(separator: " | ") + " |")
    }
  }

  private static func printEnrichment(_ results: [Stage: Figures], _ mmdb: String?) {
    guard let raw = results[.raw], let enriched = results[.enriched] else { return }
    print("geography: \(mmdb ?? "none, no MMDB file was given"); medians of \(enrichmentRounds)")
    print("| job | events/s | CPU µs/event | peak MB |")
    print("| --- | --- | --- | --- |")
    for (name, figures) in [("without enrichment", raw), ("with it", enriched)] {
      print(
        "| \(name) | \(Int(1_000_000 / figures.wall)) | \(decimal(figures.cpu)) | "
          + "\(Int(figures.peakMegabytes)) |")
    }
    print(
      "| with ÷ without | \(decimal(raw.wall / enriched.wall)) | "
        + "\(decimal(enriched.cpu / raw.cpu)) | |")
  }

  /// Two decimals, without a library for it.
  private static func decimal(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }
}

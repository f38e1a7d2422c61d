/// Everything that `sojourn drill` was told.
package struct DrillSettings: Equatable, Sendable {
  /// Words of `drillFaults`, each once.
  package let faults: [String]
  package let kills: Int
  package let events: Int
  package let seed: UInt64
  /// Words of `allSinks`, and addresses of servers and of Iceberg namespaces; each once.
  package let sinks: [String]
  /// Kafka sinks write in transactions.
  package let isTransactional: Bool
  package let isLive: Bool
  /// In percent; nil: no geography.
  package let geographyFailures: Int?
  /// nil: the default environment's.
  package let icebergPython: String?
  /// nil: a temporary directory.
  package let directory: String?
  package let keep: Bool
  /// nil: the embedded cluster. Its topic is the prefix of the drill's own.
  package let kafka: KafkaSettings?
  package let output: OutputFormat

  init(_ values: FlagValues, readFile: FileReader) throws(UsageError) {
    faults = try values.words("fault", among: DrillSettings.allFaults, default: "kill")
    sinks = try values.words(
      "sink", among: DrillSettings.allSinks,
      orBeginningWith: ["postgres:", "kafka:", "iceberg:"], default: "sqlite")
    isTransactional = try values.boolean("transactional")
    kills = try values.requiredInteger("kills")
    events = try values.requiredInteger("events")
    seed = UInt64(try values.requiredInteger("seed"))
    icebergPython = try values.text("iceberg-python")
    isLive = try values.boolean("live")
    geographyFailures = try values.integer("geo-failures")
    directory = try values.text("dir")
    keep = try values.boolean("keep")
    let isReal = values.isGiven("brokers") || values.isGiven("topic-prefix")
    kafka = isReal ? try values.kafka(topicFlag: "topic-prefix", readFile: readFile) : nil
    output = try values.requiredChoice("output", OutputFormat.self)
    if kafka == nil {
      for name in ["X", "kafka-properties"] where values.isGiven(name) {
        throw values.invalid(
          name, "the embedded cluster needs no settings", remedy: "give --brokers, or leave it out")
      }
      if isTransactional {
        throw values.invalid(
          "transactional", "the embedded cluster has no transactions",
          remedy: "give --brokers and --topic-prefix of a cluster that has")
      }
    } else if let fault = faults.first(where: DrillSettings.embeddedFaults.contains) {
      throw values.invalid(
        "fault", "\(fault) needs brokers that the drill can stop: those of the embedded cluster",
        remedy: "leave out --brokers and --topic-prefix, or choose another fault")
    } else if faults.contains("sink-down"), sinks.contains(where: { $0.hasPrefix("kafka") }) {
      throw values.invalid(
        "fault", "sink-down with a Kafka sink needs the embedded cluster",
        remedy: "leave out --brokers and --topic-prefix, or choose another fault")
    }
  }

  /// As `Drill` names them.
  package static let allFaults = [
    "kill", "stop", "broker-down", "leader-change", "sink-down", "disk-full", "state-lost",
    "state-old",
  ]
  private static let embeddedFaults = ["broker-down", "leader-change"]
  /// Kinds of sinks; the drill finds a place for each.
  package static let allSinks = ["sqlite", "jsonl", "kafka"]
}

extension FlagValues {
  /// Words of a list, which may also be parted by commas; each must be known and stand once.
  fileprivate func words(
    _ name: String, among known: [String], orBeginningWith prefixes: [String] = [],
    default standard: String
  ) throws(UsageError) -> [String] {
    var words: [String] = []
    for (text, place) in try entries(name) {
      for word in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
        let isOther = prefixes.contains { word.hasPrefix($0) }
        guard isOther || known.contains(word) else {
          let others = prefixes.map { $0 + "…" }
          throw UsageError(
            "\(place): \(quoted(word)) is not one of \((known + others).joined(separator: ", "))",
            meant: Suggestion.nearest(to: word, in: known), remedy: "write one of these words")
        }
        if words.contains(word) {
          throw UsageError("\(place): \(word) is given twice", remedy: "keep one of them")
        }
        words.append(word)
      }
    }
    return words.isEmpty ? [standard] : words
  }
}

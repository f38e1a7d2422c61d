package import SessionModel

/// Everything that `sojourn broker` was told.
package struct BrokerSettings: Equatable, Sendable {
  package struct Topic: Equatable, Sendable {
    package let name: String
    package let partitions: Int
  }

  /// The loopback port; 0: any free one.
  package let port: Int
  package let topics: [Topic]

  /// The most partitions of one topic.
  static let maxPartitions = 10_000

  init(_ values: FlagValues) throws(UsageError) {
    guard let port = try values.integer("port") else { preconditionFailure("port has a default") }
    self.port = port
    var topics: [Topic] = []
    for (text, place) in try values.entries("topic") {
      let topic = try BrokerSettings.topic(text, place: place)
      if topics.contains(where: { $0.name == topic.name }) {
        throw UsageError(
          "\(place): the topic \(topic.name) is given twice", remedy: "keep one of them")
      }
      topics.append(topic)
    }
    self.topics = topics
  }

  private static func topic(_ text: String, place: String) throws(UsageError) -> Topic {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    if let problem = TopicName.problem(name) {
      throw UsageError("\(place): \(problem)", remedy: TopicName.remedy)
    }
    guard parts.count == 2 else { return Topic(name: name, partitions: 1) }
    guard let partitions = Int(parts[1]), (1...maxPartitions).contains(partitions) else {
      throw UsageError(
        "\(place): \(quoted(text)) does not say how many partitions, from 1 to \(maxPartitions)",
        remedy: "write for instance \(name):4")
    }
    return Topic(name: name, partitions: partitions)
  }
}

/// Everything that `sojourn generate` was told.
package struct GenerateSettings: Equatable, Sendable {
  /// What is sent.
  package enum Content: Equatable, Sendable {
    case traffic(TrafficSettings)
    /// The lines of these files, in this order.
    case files([String])
  }

  package let content: Content
  /// nil: to standard output.
  package let kafka: KafkaSettings?
  /// Partitions 0..<N get the events; nil: all of the topic's.
  package let partitions: Int?
  /// In events per second of real time; nil: as fast as it goes.
  package let throttle: Int?

  init(_ values: FlagValues, readFile: FileReader) throws(UsageError) {
    let files = try values.texts("file")
    if files.isEmpty {
      content = .traffic(try TrafficSettings(values))
    } else {
      for name in ["events", "seed", "visitors", "rate", "start", "disorder"]
      where values.isGiven(name) {
        throw UsageError(
          "\(values.place(of: name)) and \(values.place(of: "file")) exclude each other",
          remedy: "send either made events or those of a file")
      }
      content = .files(files)
    }
    let isForKafka = values.isGiven("brokers") || values.isGiven("topic")
    kafka = isForKafka ? try values.kafka(readFile: readFile) : nil
    partitions = try values.integer("partitions")
    throttle = try values.integer("throttle")
    if kafka == nil, partitions != nil {
      throw values.invalid(
        "partitions", "standard output has no partitions", remedy: "give --brokers and --topic")
    }
  }
}

/// What the traffic generator needs to know; the same values make the same bytes.
package struct TrafficSettings: Equatable, Sendable {
  package let events: Int
  package let seed: UInt64
  package let visitors: Int
  /// In events per second of event time.
  package let rate: Int
  /// The first event's time in µs since 1970.
  package let start: Microseconds
  /// How far behind the newest event an event may come, in µs.
  package let disorder: Microseconds

  private static let eventsPerVisitor = 50

  init(_ values: FlagValues) throws(UsageError) {
    guard let events = try values.integer("events") else {
      throw UsageError(
        "--events is missing", remedy: "say how many: --events 100000, or send files with --file")
    }
    self.events = events
    seed = UInt64(try values.requiredInteger("seed"))
    visitors =
      try values.integer("visitors") ?? max(1, events / TrafficSettings.eventsPerVisitor)
    rate = try values.requiredInteger("rate")
    guard let start = try values.timestamp("start") else {
      preconditionFailure("start has a default")
    }
    self.start = start
    disorder = try values.requiredDuration("disorder")
  }
}

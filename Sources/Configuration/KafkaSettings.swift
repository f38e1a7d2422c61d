/// Where a topic is, and how librdkafka is to reach it.
package struct KafkaSettings: Equatable, Sendable {
  /// `HOST:PORT`, separated by commas.
  package let brokers: String
  package let topic: String
  /// The properties file with `-X` over it: each key once.
  package let properties: [KafkaProperty]

  package init(brokers: String, topic: String, properties: [KafkaProperty] = []) {
    self.brokers = brokers
    self.topic = topic
    self.properties = properties
  }
}

extension FlagValues {
  /// `--brokers`, `--topic`, `-X` and `--kafka-properties`, which stand or fall together.
  ///
  /// - Parameter topicFlag: the flag that names the topic, or what its name begins with.
  func kafka(
    topicFlag: String = "topic", readFile: FileReader
  ) throws(UsageError) -> KafkaSettings {
    guard let brokers = try text("brokers") else {
      throw UsageError("--brokers is missing", remedy: "name a broker: --brokers HOST:PORT")
    }
    guard let topic = try text(topicFlag) else {
      throw UsageError(
        "--\(topicFlag) is missing", remedy: "name the topic: --\(topicFlag) NAME")
    }
    try checkBrokers(brokers)
    if let problem = TopicName.problem(topic) {
      throw invalid(topicFlag, problem, remedy: TopicName.remedy)
    }
    return KafkaSettings(
      brokers: brokers, topic: topic, properties: try kafkaProperties(readFile: readFile))
  }

  private func checkBrokers(_ brokers: String) throws(UsageError) {
    for broker in brokers.split(separator: ",", omittingEmptySubsequences: false) {
      let port = broker.split(separator: ":").last.flatMap { UInt16($0) }
      let hasHost = broker.contains(":") && !broker.hasPrefix(":")
      if hasHost, port ?? 0 > 0, !broker.contains(where: \.isWhitespace) { continue }
      throw invalid(
        "brokers", "\(quoted(String(broker))) is not HOST:PORT",
        remedy: "write for instance broker1:9092,broker2:9092")
    }
  }

  private func kafkaProperties(readFile: FileReader) throws(UsageError) -> [KafkaProperty] {
    var properties: [KafkaProperty] = []
    if let path = try text("kafka-properties") {
      let text = try readFile.text(path, place: place(of: "kafka-properties"))
      properties = try KafkaPropertiesFile.parse(text, path: path)
    }
    for (text, place) in try entries("X") {
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw UsageError(
          "\(place): a librdkafka setting is KEY=VALUE",
          remedy: "write for instance -X socket.keepalive.enable=true")
      }
      let property = KafkaProperty(
        key: Lines.trimmed(text[..<equals]), value: String(text[text.index(after: equals)...]))
      try KafkaPropertiesFile.check(property, place: place)
      properties.append(property)
    }
    return KafkaPropertiesFile.merge(properties)
  }
}

/// What Kafka takes as a topic's name.
enum TopicName {
  static let remedy = "use letters, digits, '.', '_' and '-', at most 249 of them"

  /// What is wrong with the name; nil if nothing is.
  static func problem(_ name: String) -> String? {
    let isLegal = name.unicodeScalars.allSatisfy { scalar in
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": true
      default: false
      }
    }
    let isNamed = isLegal && !name.isEmpty && name.count <= 249 && name != "." && name != ".."
    return isNamed ? nil : "\(quoted(name)) cannot be a topic's name"
  }
}

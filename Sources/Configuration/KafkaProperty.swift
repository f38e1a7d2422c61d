/// A setting for librdkafka. Its descriptions never show a secret.
package struct KafkaProperty: Equatable, Sendable, CustomStringConvertible,
  CustomDebugStringConvertible, CustomReflectable
{
  package let key: String
  /// May be a secret: hand it to librdkafka and to nothing else.
  package let value: String

  package init(key: String, value: String) {
    self.key = key
    self.value = value
  }

  /// Whether the value must not be shown.
  package var isSecret: Bool {
    let key = key.lowercased()
    return KafkaProperty.secretParts.contains { key.contains($0) }
  }

  package var description: String { "\(key)=\(isSecret ? "[hidden]" : value)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["property": description]) }

  private static let secretParts = [
    "password", "passwd", "passphrase", "secret", "token", "pem", "credential", "jaas",
    "oauthbearer.config", "ssl_key", "ssl_certificate",
  ]

  /// What the program sets itself, and the flag to use instead where there is one.
  static let reserved: [String: String] = [
    "bootstrap.servers": "--brokers", "metadata.broker.list": "--brokers", "group.id": "--job",
    "auto.offset.reset": "--from", "enable.auto.commit": "", "auto.commit.enable": "",
    "enable.auto.offset.store": "", "enable.partition.eof": "",
  ]
}

/// The file of `--kafka-properties`: `KEY=VALUE` lines as in Java's properties, without its escapes.
package enum KafkaPropertiesFile {
  /// Errors name the file and line, never what stands there.
  package static func parse(_ text: String, path: String) throws(UsageError) -> [KafkaProperty] {
    var properties: [KafkaProperty] = []
    for (index, line) in Lines.split(text).enumerated() {
      let line = Lines.trimmed(line)
      if line.isEmpty || line.hasPrefix("#") || line.hasPrefix("!") { continue }
      let place = "\(path):\(index + 1)"
      guard let equals = line.firstIndex(of: "="), equals != line.startIndex else {
        throw UsageError(
          "\(place): this line has no KEY=VALUE", remedy: "write for instance sasl.username=me")
      }
      let property = KafkaProperty(
        key: Lines.trimmed(line[..<equals]),
        value: Lines.trimmed(line[line.index(after: equals)...]))
      try check(property, place: place)
      properties.append(property)
    }
    return properties
  }

  /// Refuses what the program sets itself.
  static func check(_ property: KafkaProperty, place: String) throws(UsageError) {
    guard let flag = KafkaProperty.reserved[property.key] else { return }
    throw UsageError(
      "\(place): \(property.key) is set by sojourn itself",
      remedy: flag.isEmpty ? "leave it out" : "use \(flag) instead")
  }

  /// One entry a key: the last one given for it, in the place of the first.
  static func merge(_ properties: [KafkaProperty]) -> [KafkaProperty] {
    var merged: [KafkaProperty] = []
    for property in properties {
      if let place = merged.firstIndex(where: { $0.key == property.key }) {
        merged[place] = property
      } else {
        merged.append(property)
      }
    }
    return merged
  }
}

import CRdKafka

/// Settings of librdkafka, as `CONFIGURATION.md` of librdkafka lists them, in the order given.
///
/// The user's settings win over defaults of ours, except over those that correctness needs: setting
/// one of these to something else is an error, not silently undone.
package struct KafkaConfiguration: Equatable, Sendable {
  package private(set) var properties: [(name: String, value: String)] = []

  /// - Parameters:
  ///   - brokers: `HOST:PORT`, several parted by commas.
  ///   - properties: `-X name=value` in the order given; a later one wins.
  package init(brokers: String, properties: [(name: String, value: String)] = []) {
    self.properties = [("bootstrap.servers", brokers)] + properties
  }

  package static func == (left: Self, right: Self) -> Bool {
    left.properties.elementsEqual(right.properties, by: ==)
  }

  /// The value that is in force of those given here.
  package subscript(name: String) -> String? {
    properties.last { $0.name == name }?.value
  }

  /// Adds what is used where the user said nothing.
  package func withDefaults(_ defaults: [(name: String, value: String)]) -> KafkaConfiguration {
    var result = self
    result.properties = defaults.filter { self[$0.name] == nil } + properties
    return result
  }

  /// Puts settings in the place of whatever was said before.
  package func overriding(_ others: [(name: String, value: String)]) -> KafkaConfiguration {
    var result = self
    result.properties.removeAll { property in others.contains { $0.name == property.name } }
    result.properties += others
    return result
  }

  /// Adds settings that the user cannot change.
  ///
  /// - Throws: `KafkaError` of kind `configuration` where the user set another value.
  package func requiring(
    _ required: [(name: String, value: String, reason: String)]
  ) throws(KafkaError) -> KafkaConfiguration {
    for (name, value, reason) in required {
      if let given = self[name], Self.normalized(given) != value {
        throw .configuration(
          "-X \(name)=\(given) cannot be used: it has to stay \(value), because \(reason). "
            + "Nothing was read or changed; leave the setting out.")
      }
    }
    var result = self
    result.properties += required.map { ($0.name, $0.value) }
    return result
  }

  private static func normalized(_ value: String) -> String {
    switch value.lowercased() {
    case "true", "t", "1": "true"
    case "false", "f", "0": "false"
    default: value.lowercased()
    }
  }

  // MARK: Secrets

  /// `name=value` parted by spaces, for logs: values of secret settings become `***`.
  package var redactedDescription: String {
    properties.map { "\($0.name)=\(Self.isSecret($0.name) ? "***" : $0.value)" }
      .joined(separator: " ")
  }

  /// The text without the values of secret settings.
  package func redact(_ text: String) -> String {
    var result = text
    for (name, value) in properties where Self.isSecret(name) && value.utf8.count >= 4 {
      result = Self.replacing(value, with: "***", in: result)
    }
    return result
  }

  package static func isSecret(_ name: String) -> Bool {
    let name = name.lowercased()
    return [
      "password", "secret", "token", "key.pem", "oauthbearer.config", "sasl.jaas", "credential",
    ]
    .contains { Self.contains($0, in: name) }
  }

  private static func contains(_ needle: String, in text: String) -> Bool {
    replacing(needle, with: "", in: text) != text
  }

  private static func replacing(_ needle: String, with new: String, in text: String) -> String {
    let needle = Array(needle.utf8)
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index...].starts(with: needle) {
        result += new.utf8
        index += needle.count
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  // MARK: To librdkafka

  /// - Throws: `KafkaError` of kind `configuration`, naming the setting but no secret.
  func makeNative() throws(KafkaError) -> OpaquePointer {
    guard let native = rd_kafka_conf_new() else { fatalError("out of memory") }
    var text = [CChar](repeating: 0, count: 512)
    for (name, value) in properties {
      if rd_kafka_conf_set(native, name, value, &text, text.count) == RD_KAFKA_CONF_OK { continue }
      rd_kafka_conf_destroy(native)
      let reason = redact(string(text))
      throw .configuration("the Kafka setting \(name) was refused: \(reason)")
    }
    return native
  }
}

/// The text before the terminating zero.
func string(_ characters: [CChar]) -> String {
  String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

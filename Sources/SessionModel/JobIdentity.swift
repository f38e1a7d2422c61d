/// What a state and a table belong to: a job's name and everything that its rows depend on.
package struct JobIdentity: Equatable, Sendable {
  /// `--job`; by default the topic's name.
  package var job: String
  package var fingerprint: Fingerprint

  package init(job: String, fingerprint: Fingerprint) {
    self.job = job
    self.fingerprint = fingerprint
  }
}

/// The settings that decide ids and windows. State or a table made with others is refused.
package struct Fingerprint: Equatable, Sendable {
  package var topic: String
  package var keyFields: [String]
  /// The session gap in µs.
  package var gap: Microseconds
  /// The grid at which sessions are cut, µs since 1970; 0 for none.
  package var split: Microseconds
  /// Rows of bots' sessions are kept from the sinks.
  package var dropsBots: Bool
  package var scope: String
  package var idFormat: String

  package init(
    topic: String, keyFields: [String] = ["user_id", "ip"], gap: Microseconds,
    split: Microseconds = 0, dropsBots: Bool = false, scope: String = "topic",
    idFormat: String = "sha256-v1"
  ) {
    self.topic = topic
    self.keyFields = keyFields
    self.gap = gap
    self.split = split
    self.dropsBots = dropsBots
    self.scope = scope
    self.idFormat = idFormat
  }

  package var key: KeyLayout { KeyLayout(keyFields) }

  /// Each setting's name and value as text, in a fixed order; nil for off.
  private var settings: [(name: String, value: String?)] {
    [
      ("topic", topic), ("key", keyFields.joined(separator: ",")), ("gap_us", String(gap)),
      ("scope", scope), ("id", idFormat), ("split_us", split == 0 ? nil : String(split)),
      ("drop_bots", dropsBots ? "on" : nil),
    ]
  }

  /// Each setting's name and value as text, in a fixed order.
  package var parts: [(name: String, value: String)] {
    settings.map { ($0.name, $0.value ?? "off") }
  }

  /// One line that is equal exactly when all settings are, for sinks to keep.
  ///
  /// What is off is left out; `;`, `=` and `%` inside a value are written as `%3B`, `%3D` and `%25`.
  package var text: String {
    settings.compactMap { name, value in
      value.map { "\(name)=\(Fingerprint.escape($0))" }
    }.joined(separator: ";")
  }

  private static func escape(_ value: String) -> String {
    var escaped = ""
    for character in value.unicodeScalars {
      switch character {
      case "%": escaped += "%25"
      case ";": escaped += "%3B"
      case "=": escaped += "%3D"
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }
}

/// A UUID made at each start of a process: who may write to a table.
package struct OwnerID: Hashable, Sendable {
  /// 36 characters, lower case.
  package var text: String

  package init(text: String) {
    self.text = text
  }

  /// - Parameter random: 16 random bytes; made into a version 4 UUID (RFC 9562).
  package init(random: [UInt8]) {
    precondition(random.count == 16, "a UUID has 16 bytes")
    var bytes = random
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    var text = ""
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text += "-" }
      text += byte < 16 ? "0" : ""
      text += String(byte, radix: 16)
    }
    self.text = text
  }
}

package import KafkaClient
package import SessionModel

/// Where a sink is, as `--sink [NAME=]SCHEME:REST` says it.
package struct SinkAddress: Equatable, Sendable {
  /// The kinds of sinks that there are.
  package enum Scheme: String, CaseIterable, Sendable {
    case sqlite
    case jsonl
    case postgres
    case kafka
    case iceberg

    /// How an address of this scheme is written, for messages.
    var example: String {
      switch self {
      case .sqlite: "sqlite:PATH"
      case .jsonl: "jsonl:DIR"
      case .postgres: "postgres://USER@HOST:PORT/DATABASE"
      case .kafka: "kafka:TOPIC"
      case .iceberg: "iceberg:CATALOG.NAMESPACE.TABLE"
      }
    }
  }

  /// Under which the state keeps the sink's progress; the scheme unless given.
  package var name: String
  package var scheme: Scheme
  /// What follows the scheme's colon: a path, a topic, the rest of a connection URI, or a table's
  /// name in a catalog.
  package var rest: String
  /// The Kafka cluster that a topic is on, with the settings that lead to it; nil for other schemes,
  /// and where the address itself says all.
  package var cluster: KafkaConfiguration?
  /// Rows go to Kafka in transactions.
  package var isTransactional = false

  private static let nameBytesLimit = 64

  package init(name: String, scheme: Scheme, rest: String) {
    self.name = name
    self.scheme = scheme
    self.rest = rest
  }

  /// Reads `[NAME=]sqlite:PATH`, `[NAME=]kafka:TOPIC` and so on.
  ///
  /// - Throws: `SinkAddressError` for anything else; its text never repeats what follows the
  ///   scheme, since that may hold a password.
  package init(parsing text: String) throws(SinkAddressError) {
    var address = Substring(text)
    var name: Substring?
    if let mark = text.firstIndex(where: { $0 == "=" || $0 == ":" }), text[mark] == "=" {
      name = text[..<mark]
      address = text[text.index(after: mark)...]
    }
    guard let colon = address.firstIndex(of: ":"), colon != address.startIndex else {
      throw SinkAddressError("a sink is given as \(SinkAddress.forms), with NAME= before it or not")
    }
    guard let scheme = Scheme(rawValue: String(address[..<colon])) else {
      throw SinkAddressError(
        "there is no sink of the kind \"\(address[..<colon])\"; known are \(SinkAddress.forms)")
    }
    let rest = address[address.index(after: colon)...]
    guard !rest.isEmpty, rest != ":memory:", !rest.utf8.contains(0) else {
      throw SinkAddressError("\(scheme.rawValue): needs a place after it: \(scheme.example)")
    }
    if let name, !SinkAddress.isName(name) {
      throw SinkAddressError(
        "the sink name \"\(name)\" is not 1 to \(SinkAddress.nameBytesLimit) of the characters "
          + "A-Z a-z 0-9 _ -")
    }
    self.init(name: name.map { String($0) } ?? scheme.rawValue, scheme: scheme, rest: String(rest))
  }

  /// Reads `jsonl:DIR` or `kafka:TOPIC`, a place for a side output.
  ///
  /// - Throws: `SinkAddressError` for anything else.
  package init(parsing text: String, for output: SideOutput) throws(SinkAddressError) {
    try self.init(parsing: text)
    guard scheme == .jsonl || scheme == .kafka, name == scheme.rawValue else {
      throw SinkAddressError(
        "\(output.contents) go to \(Scheme.jsonl.example) or \(Scheme.kafka.example)")
    }
    name = "--\(output.rawValue)-to"
  }

  /// The address for logs and dumps, without secrets: paths hold none, a connection URI that
  /// holds one is refused when the sink is made, and Kafka's stand in files.
  package var redacted: String { "\(scheme.rawValue):\(rest)" }

  private static var forms: String {
    Scheme.allCases.map(\.example).joined(separator: ", ")
  }

  private static func isName(_ text: Substring) -> Bool {
    (1...nameBytesLimit).contains(text.utf8.count)
      && text.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || $0 == 0x5F || $0 == 0x2D }
  }
}

/// A sink's address or table name that cannot be meant (exit code 64).
package struct SinkAddressError: Error, Equatable, CustomStringConvertible {
  package var description: String

  package init(_ description: String) { self.description = description }
}

extension UInt8 {
  var isASCIILetter: Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
  }
  var isASCIIDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}

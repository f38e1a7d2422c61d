import KafkaClient

/// A topic that is written to, and the cluster that it is on.
package struct KafkaAddress: Sendable {
  let topic: String
  let configuration: KafkaConfiguration
  /// `--transactional`.
  let isTransactional: Bool

  package static let brokersParameter = "brokers"
  package static let propertiesParameter = "properties"

  /// - Throws: `SinkAddressError` where the rest cannot be meant, or where no brokers are known.
  package init(_ address: SinkAddress) throws(SinkAddressError) {
    let parts = try KafkaAddress.parts(of: address)
    topic = parts.topic
    isTransactional = address.isTransactional
    let brokers = parts.parameters[KafkaAddress.brokersParameter]
    guard let known = address.cluster ?? brokers.map({ KafkaConfiguration(brokers: $0) }) else {
      throw SinkAddressError(
        "kafka: no brokers are known: write kafka:\(topic)?brokers=HOST:PORT")
    }
    // Whatever the run's own reader is told.
    configuration = known.overriding([("isolation.level", "read_committed")])
  }

  /// `topic TOPIC at HOST:PORT`, for messages.
  var place: String { "topic \(topic) at \(configuration["bootstrap.servers"] ?? "")" }

  /// What names the topic's writer to its cluster: the transactional id, and the group whose
  /// committed metadata says who owns the topic.
  var writer: String { "sojourn-sink.\(topic)" }

  /// Splits `TOPIC?brokers=HOST:PORT,…&properties=FILE`.
  ///
  /// - Throws: `SinkAddressError`, which repeats nothing but the topic.
  package static func parts(
    of address: SinkAddress
  ) throws(SinkAddressError) -> (topic: String, parameters: [String: String]) {
    let halves = address.rest.split(
      separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let topic = String(halves[0])
    guard isTopic(topic) else {
      throw SinkAddressError(
        "kafka: a topic's name has up to 249 letters, digits, '.', '_' and '-'")
    }
    var parameters: [String: String] = [:]
    for text in halves.count == 2 ? halves[1].split(separator: "&") : [] {
      let parameter = text.split(separator: "=", maxSplits: 1).map { String($0) }
      guard parameter.count == 2, [brokersParameter, propertiesParameter].contains(parameter[0]),
        parameters.updateValue(parameter[1], forKey: parameter[0]) == nil
      else { throw SinkAddressError("kafka: behind kafka:\(topic)? goes \(form), each once") }
    }
    if parameters[propertiesParameter] != nil, parameters[brokersParameter] == nil {
      throw SinkAddressError(
        "kafka: properties=FILE is for another cluster; name its brokers, too: \(form)")
    }
    return (topic, parameters)
  }

  private static let form = "brokers=HOST:PORT,HOST:PORT&properties=FILE"

  private static func isTopic(_ name: String) -> Bool {
    (1...249).contains(name.utf8.count) && name != "." && name != ".."
      && name.utf8.allSatisfy {
        $0.isASCIILetter || $0.isASCIIDigit || [0x2E, 0x5F, 0x2D].contains($0)
      }
  }
}

extension KafkaAddress {
  /// - Parameter address: was checked when its sink was made.
  init(checked address: SinkAddress) throws(SinkError) {
    do throws(SinkAddressError) {
      try self.init(address)
    } catch {
      throw .unsuitable(error.description)
    }
  }
}

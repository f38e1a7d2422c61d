import Configuration
import KafkaClient
import Platform
import SessionModel
import Sinks

extension SinkAddress {
  /// Gives a Kafka sink its cluster: the one that the run reads from, unless the address names
  /// another, whose settings come from a file of their own. Does nothing for other sinks.
  ///
  /// - Parameters:
  ///   - source: the cluster and the topic that are read; nil where files are.
  ///   - isTransactional: `--transactional`.
  /// - Throws: where no brokers are known, where the file cannot be read, and where the
  ///   topic is the one that is read.
  mutating func resolveCluster(
    _ source: KafkaSettings?, isTransactional: Bool
  ) throws(SinkAddressError) {
    guard scheme == .kafka else { return }
    self.isTransactional = isTransactional
    let place = try KafkaAddress.parts(of: self)
    let brokers = place.parameters[KafkaAddress.brokersParameter]
    if let source, place.topic == source.topic, brokers == nil || brokers == source.brokers {
      throw SinkAddressError("kafka: \(place.topic) is the topic that is read; name another")
    }
    if let brokers {
      cluster = KafkaConfiguration(
        brokers: brokers,
        properties: try SinkAddress.properties(
          place.parameters[KafkaAddress.propertiesParameter]))
    } else {
      cluster = source.map { KafkaConfiguration($0) }
    }
    _ = try KafkaAddress(self)
  }

  private static func properties(
    _ path: String?
  ) throws(SinkAddressError) -> [(name: String, value: String)] {
    guard let path else { return [] }
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try Files.read(path) } catch {
      throw SinkAddressError("kafka: the properties cannot be read: \(error)")
    }
    do throws(UsageError) {
      let text = String(decoding: bytes, as: UTF8.self)
      return try KafkaPropertiesFile.parse(text, path: path).map { ($0.key, $0.value) }
    } catch {
      throw SinkAddressError("kafka: \(error.problem)")
    }
  }
}

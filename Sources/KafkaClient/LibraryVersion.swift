import CRdKafka

/// The C library behind this target.
package enum KafkaLibrary {
  /// Of the library loaded now, for instance `2.0.2`.
  package static var version: String { String(cString: rd_kafka_version_str()) }
}

import CRdKafka

/// A client that reads nothing and only asks the cluster: partitions, ends of logs, topics.
///
/// A client of its own, so that its questions do not wait behind the long polls of a reader on the
/// same connection.
package final class Inquirer: Client, @unchecked Sendable {
  /// - Throws: `KafkaError` of kind `configuration`.
  package init(_ configuration: KafkaConfiguration) throws(KafkaError) {
    // Closed connections are told, as they are often all that is heard of a wrong security protocol;
    // those that a broker closes because they are idle are not.
    let complete = try configuration.withDefaults([("log.connection.close", "true")])
      .withDefaults(Consumer.defaults).requiring(Consumer.required)
    try super.init(RD_KAFKA_CONSUMER, complete)
  }

  /// Errors that concern no call since the last time.
  package override func takeErrors() -> [KafkaError] {
    rd_kafka_poll(handle, 0)
    return super.takeErrors()
  }

  /// Ends the client within bounds; no call may be under way. `timeout` in µs.
  package func close(timeout: Int64) -> Bool { destroy(timeout: timeout) }
}

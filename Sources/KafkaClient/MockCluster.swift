import CRdKafka
import Platform

/// librdkafka's embedded cluster: brokers inside this process, on loopback ports that the system
/// chooses. For demos and tests: it keeps 5 MiB per partition, has no transactions and forgets all
/// at its end.
///
/// Unchecked: the cluster takes each order through a queue of its own thread.
package final class MockCluster: @unchecked Sendable {
  /// Requests for which errors can be ordered, with the protocol's numbers.
  package enum Request: Int16, Sendable {
    case produce = 0
    case fetch = 1
    case listOffsets = 2
    case metadata = 3
    case offsetCommit = 8
    case offsetFetch = 9
    case findCoordinator = 10
    case apiVersions = 18
    case initProducerID = 22
  }

  private final class Host: Client, @unchecked Sendable {
    init() throws(KafkaError) {
      // No address: the client only lends its threads and its log.
      try super.init(RD_KAFKA_PRODUCER, KafkaConfiguration(hosting: "sojourn-embedded-cluster"))
    }
  }

  private let host: Host
  private let cluster: OpaquePointer
  /// `HOST:PORT` of each broker, parted by commas.
  package let brokers: String

  /// - Throws: `KafkaError` where no sockets or threads can be had.
  package init(brokers count: Int = 1) throws(KafkaError) {
    host = try Host()
    guard let cluster = rd_kafka_mock_cluster_new(host.handle, Int32(count)) else {
      throw KafkaError(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, "starting the embedded cluster")
    }
    self.cluster = cluster
    brokers = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
  }

  deinit { rd_kafka_mock_cluster_destroy(cluster) }

  package func createTopic(_ name: String, partitions: Int32) throws(KafkaError) {
    try check(
      rd_kafka_mock_topic_create(cluster, name, partitions, 1), "creating topic \(name)")
  }

  /// Takes a broker's connections away and refuses new ones. Brokers count from 1.
  package func setDown(_ broker: Int32) throws(KafkaError) {
    // The cluster closes its listening socket, binds another to the same port, and aborts the
    // process if it cannot.
    let code = ChildProcess.whileNoneStarts { rd_kafka_mock_broker_set_down(cluster, broker) }
    try check(code, "stopping broker \(broker)")
  }

  package func setUp(_ broker: Int32) throws(KafkaError) {
    try check(rd_kafka_mock_broker_set_up(cluster, broker), "starting broker \(broker)")
  }

  /// Delays a broker's answers; µs.
  package func setDelay(_ delay: Int64, broker: Int32) throws(KafkaError) {
    try check(
      rd_kafka_mock_broker_set_rtt(cluster, broker, milliseconds(delay)), "delaying a broker")
  }

  /// - Parameter broker: -1 leaves the partition without a leader.
  package func moveLeader(
    topic: String, partition: Int32, to broker: Int32
  ) throws(KafkaError) {
    try check(
      rd_kafka_mock_partition_set_leader(cluster, topic, partition, broker), "moving a leader")
  }

  /// Has another broker coordinate a group.
  package func moveCoordinator(group: String, to broker: Int32) throws(KafkaError) {
    try check(
      rd_kafka_mock_coordinator_set(cluster, "group", group, broker), "moving a coordinator")
  }

  /// Has the next requests of one kind answered by these broker error codes.
  package func failNext(_ request: Request, with codes: [Int32]) {
    let errors = codes.map { rd_kafka_resp_err_t($0) }
    rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, errors.count, errors)
  }

  /// The same at one broker; -195 breaks the connection instead.
  package func failNext(
    _ request: Request, with codes: [Int32], broker: Int32
  ) throws(KafkaError) {
    for code in codes {
      try check(
        rd_kafka_mock_broker_push_request_error(cluster, broker, request.rawValue, code),
        "ordering an error")
    }
  }

  /// How many of the errors ordered at one broker have not happened yet.
  package func failuresLeft(_ request: Request, broker: Int32) throws(KafkaError) -> Int {
    var count = 0
    try check(
      rd_kafka_mock_broker_error_stack_cnt(cluster, broker, request.rawValue, &count),
      "counting errors")
    return count
  }

  /// Has questions for a topic's partitions, and records for it, answered by an error; 0 ends it.
  package func setTopicError(_ topic: String, code: Int32) {
    rd_kafka_mock_topic_set_error(cluster, topic, rd_kafka_resp_err_t(code))
  }
}

extension KafkaConfiguration {
  /// A client without brokers of its own.
  fileprivate init(hosting name: String) {
    self.init(brokers: "", properties: [("client.id", name)])
  }
}

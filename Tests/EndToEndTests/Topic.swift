import KafkaClient
import Platform
import SessionModel
import TestSupport

/// A topic on an embedded cluster in this process, and a producer for it.
final class Topic {
  static let name = "web"
  let cluster: MockCluster
  private(set) var producer: Producer
  let partitions: Int

  init(partitions: Int, brokers: Int = 1) throws {
    cluster = try MockCluster(brokers: brokers)
    try cluster.createTopic(Topic.name, partitions: Int32(partitions))
    self.partitions = partitions
    producer = try Topic.producer(cluster.brokers)
  }

  static func producer(_ brokers: String) throws -> Producer {
    try Producer(
      KafkaConfiguration(
        brokers: brokers,
        properties: [
          ("linger.ms", "5"), ("message.max.bytes", "4000000"),
          ("reconnect.backoff.ms", "10"), ("reconnect.backoff.max.ms", "20"),
        ]))
  }

  /// Takes a new producer: after an outage librdkafka 2.0.2's idempotent one sometimes waits for
  /// acknowledgements of the embedded cluster that never come.
  func reconnect() throws { producer = try Topic.producer(cluster.brokers) }

  /// The flags of `run` that name it.
  var flags: [String] { ["--brokers", cluster.brokers, "--topic", Topic.name] }

  /// Sends records to partitions that a seeded generator chooses.
  func send(_ records: some Sequence<[UInt8]>, spread random: inout RandomNumbers) throws {
    for record in records {
      try send(record, partition: Int32(random.below(partitions)))
    }
    try flush()
  }

  /// Hands a record over; nil for a null value.
  func send(_ record: [UInt8]?, partition: Int32 = 0, timestamp: Int64 = 0) throws {
    var failure: KafkaError?
    (record ?? []).withUnsafeBytes { bytes in
      do throws(KafkaError) {
        try producer.produce(
          topic: Topic.name, partition: partition, value: record == nil ? nil : bytes,
          timestamp: timestamp)
      } catch { failure = error }
    }
    if let failure { throw failure }
  }

  func send(_ text: String, partition: Int32 = 0) throws {
    try send(Array(text.utf8), partition: partition)
  }

  func flush() throws { try producer.flush(timeout: 60_000_000) }
}

/// An event at so many seconds after 2025-03-01T10:00:00Z.
func event(user: Int? = 1, ip: String = "10.0.0.1", at second: Int, url: String = "/") -> String {
  """
  {"user_id":\(user.map { "\($0)" } ?? "null"),"ip":"\(ip)","url":"\(url)",\
  "event_time":\(1_740_823_200 + second)}
  """
}

import KafkaClient
import Platform
import SessionModel
import Sinks
import TestSupport

/// A cluster of its own with the sink's topic on it.
class KafkaHome: SinkHome, @unchecked Sendable {
  // Unchecked: nothing changes after init.
  static let topic = "sessions"
  static let partitions: Int32 = 4
  /// No test waits longer than this for something that has to come, µs.
  static let patience: Int64 = 20_000_000

  let configuration: KafkaConfiguration
  let isTransactional: Bool

  init(brokers: String, isTransactional: Bool) {
    configuration = KafkaConfiguration(
      brokers: brokers, properties: [("reconnect.backoff.ms", "10")])
    self.isTransactional = isTransactional
  }

  var keepsPosition: Bool { isTransactional }

  var address: SinkAddress {
    var address = SinkAddress(name: "kafka", scheme: .kafka, rest: KafkaHome.topic)
    address.cluster = configuration
    address.isTransactional = isTransactional
    return address
  }

  func makeSink() -> any Sink { makeSink(address) }

  func makeSink(_ address: SinkAddress) -> any Sink {
    do throws(SinkAddressError) {
      return try Sinks.make(address, table: .sessions)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  func records() throws -> [KafkaRecord] {
    try KafkaRecord.all(of: KafkaHome.topic, configuration)
  }

  /// The last value of each key, in transactions every value, in the order of positions.
  func export() throws -> [UInt8] {
    var values: [(place: String, value: [UInt8])] = []
    var indices: [String: Int] = [:]
    for record in try records() {
      // Ends of one length, so that texts sort as positions do.
      let position = record.headers["sojourn-position"] ?? "-"
      let parts = position.split(separator: "-", omittingEmptySubsequences: false)
      let place = String(repeating: "0", count: 20 - parts[0].utf8.count) + position
      if !isTransactional, let index = indices[record.key] {
        values[index] = (place, record.value)
      } else {
        indices[record.key] = values.count
        values.append((place, record.value))
      }
    }
    return values.sorted { $0.place < $1.place }.flatMap { $0.value + [UInt8(ascii: "\n")] }
  }

  func backUp() throws {}
  func restore() throws {}
  func delete() {}

  func makeForeignRows() throws {
    try producer().send("somebody's", "{}")
  }

  func producer(_ properties: [(String, String)] = []) throws -> Producer {
    try Producer(
      configuration.overriding(properties.map { (name: $0.0, value: $0.1) }))
  }
}

extension Producer {
  /// Sends a record to the sink's topic and waits for it.
  func send(_ key: String, _ text: String?, partition: Int32 = 0) throws {
    try produce(topic: KafkaHome.topic, partition: partition, key: key, text: text)
    try flush(timeout: KafkaHome.patience)
  }
}

/// Without transactions, on the embedded cluster.
final class PlainKafkaHome: KafkaHome, @unchecked Sendable {
  let cluster: MockCluster
  private static let unknownTopic: Int32 = 3

  init() {
    do throws(KafkaError) {
      cluster = try MockCluster()
      try cluster.createTopic(KafkaHome.topic, partitions: KafkaHome.partitions)
    } catch {
      preconditionFailure("\(error)")
    }
    super.init(brokers: cluster.brokers, isTransactional: false)
  }

  override func delete() {
    cluster.setTopicError(KafkaHome.topic, code: PlainKafkaHome.unknownTopic)
  }
  override func restore() throws { cluster.setTopicError(KafkaHome.topic, code: 0) }
}

/// In transactions, on a broker that has them.
final class TransactionalKafkaHome: KafkaHome, @unchecked Sendable {
  let broker: SecondBroker
  private let backup = Monitor<[KafkaRecord]>([])

  init() {
    do {
      broker = try SecondBroker()
    } catch {
      preconditionFailure("\(error)")
    }
    super.init(brokers: broker.brokers, isTransactional: true)
    create()
  }

  private func create() {
    do {
      try admin().createTopic(
        KafkaHome.topic, partitions: KafkaHome.partitions, replicas: 1,
        configuration: [("cleanup.policy", "compact")], timeout: KafkaHome.patience)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  func admin() throws -> Inquirer { try Inquirer(configuration) }

  override func backUp() throws {
    let records = try records()
    backup.change { $0 = records }
  }

  override func delete() {
    do {
      try admin().deleteTopic(KafkaHome.topic, timeout: KafkaHome.patience)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  /// Makes the topic anew with the records of the backup.
  override func restore() throws {
    if (try? admin().describe(topic: KafkaHome.topic, timeout: KafkaHome.patience)) != nil {
      delete()
    }
    create()
    let producer = try producer()
    for record in backup.read({ $0 }) { try record.produce(to: KafkaHome.topic, producer) }
    try producer.flush(timeout: KafkaHome.patience)
  }

  /// Puts a batch as it is into the topic in a transaction that is left open, as a process does that
  /// is killed between the last row and the commit.
  ///
  /// - Returns: the producer, which must live for as long as the transaction is to stay open.
  func leaveOpen(_ rows: RowBatch, id: String = "sojourn-sink.sessions") throws -> Producer {
    let producer = try producer([("transactional.id", id)])
    try producer.initTransactions(timeout: KafkaHome.patience)
    try producer.beginTransaction()
    for line in SampleRows.lines(rows) {
      try producer.produce(topic: KafkaHome.topic, partition: 0, key: line, text: line)
    }
    try producer.flush(timeout: KafkaHome.patience)
    return producer
  }
}

import KafkaClient
import TestSupport

/// A committed record of a topic, read without the sinks' own code.
struct KafkaRecord: Sendable {
  var partition: Int32
  var offset: Int64
  var key: String
  var value: [UInt8]
  /// Those that the sinks write.
  var headers: [String: String]

  static let headerNames = [
    "sojourn-job", "sojourn-fingerprint", "sojourn-delivery", "sojourn-position", "sojourn-late",
    "sojourn-rejected",
  ]

  var text: String { String(decoding: value, as: UTF8.self) }

  /// All of a topic, those of a partition in the log's order.
  static func all(of topic: String, _ configuration: KafkaConfiguration) throws -> [KafkaRecord] {
    let inquirer = try Inquirer(configuration)
    let count = try inquirer.describe(topic: topic, timeout: KafkaHome.patience).partitionCount
    let partitions = (0..<Int32(count)).map { $0 }
    let begins = try inquirer.offsets(
      .beginning, topic: topic, partitions: partitions, timeout: KafkaHome.patience)
    let ends = try inquirer.offsets(
      .end, topic: topic, partitions: partitions, timeout: KafkaHome.patience)
    let spans = partitions.map {
      LogSpan(partition: $0, from: begins[Int($0)] ?? 0, to: ends[Int($0)] ?? 0)
    }
    let scan = try TopicScan(
      configuration, topic: topic, spans, group: "reader", timeout: KafkaHome.patience)
    var records: [KafkaRecord] = []
    while let partition = try scan.next() {
      for (index, entry) in scan.batch.entries.enumerated() where entry.errorCode == 0 {
        guard let value = entry.value else { continue }
        records.append(
          KafkaRecord(
            partition: partition, offset: entry.offset,
            key: String(decoding: scan.batch.key(at: index) ?? value, as: UTF8.self),
            value: Array(value), headers: headers(of: scan.batch, index)))
      }
    }
    return records
  }

  private static func headers(of batch: MessageBatch, _ index: Int) -> [String: String] {
    var headers: [String: String] = [:]
    for name in headerNames {
      headers[name] = batch.header(name, at: index).map { String(decoding: $0, as: UTF8.self) }
    }
    return headers
  }

  /// Puts a copy into a topic, in the same partition.
  func produce(to topic: String, _ producer: Producer) throws {
    let all = headers.map { (name: $0.key, value: $0.value) }
    let copies = RecordHeaders(Array(all.dropFirst()), own: all.first?.name ?? "copy")
    copies.own = Array((all.first?.value ?? "").utf8)
    var failure: KafkaError?
    Array(key.utf8).withUnsafeBytes { key in
      value.withUnsafeBytes { value in
        do throws(KafkaError) {
          try producer.produce(
            topic: topic, partition: partition, key: key, value: value, headers: copies)
        } catch { failure = error }
      }
    }
    if let failure { throw failure }
  }
}

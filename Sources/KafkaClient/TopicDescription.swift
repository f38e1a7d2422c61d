import CRdKafka
import Glibc

/// What the cluster says of a topic.
package struct TopicDescription: Equatable, Sendable {
  /// The broker that leads each partition, by partition; -1 while there is none.
  package var leaders: [Int32]
  package var partitionCount: Int { leaders.count }
}

extension Client {
  /// Asks a broker which partitions a topic has.
  ///
  /// - Parameter timeout: µs.
  /// - Throws: `KafkaError`: `unknownTopic`, `authentication`, else `transient`.
  package func describe(topic: String, timeout: Int64) throws(KafkaError) -> TopicDescription {
    guard let reference = rd_kafka_topic_new(handle, topic, nil) else {
      throw KafkaError(rd_kafka_last_error(), "topic \(topic)")
    }
    defer { rd_kafka_topic_destroy(reference) }
    var answer: UnsafePointer<rd_kafka_metadata>?
    try check(
      rd_kafka_metadata(handle, 0, reference, &answer, milliseconds(timeout)),
      "asking for the partitions of topic \(topic)")
    defer { rd_kafka_metadata_destroy(answer) }
    guard let answer, answer.pointee.topic_cnt == 1 else {
      throw KafkaError(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, "topic \(topic)")
    }
    let found = answer.pointee.topics[0]
    try check(found.err, "topic \(topic)")
    var leaders = [Int32](repeating: -1, count: Int(found.partition_cnt))
    for index in 0..<Int(found.partition_cnt) {
      let partition = found.partitions[index]
      guard leaders.indices.contains(Int(partition.id)) else { continue }
      leaders[Int(partition.id)] = partition.leader
    }
    if leaders.isEmpty { throw KafkaError(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, "topic \(topic)") }
    return TopicDescription(leaders: leaders)
  }

  /// Where the log of each partition begins or ends, or the first offset at or after a time.
  ///
  /// One request to each broker concerned. For a reader of committed records the end is the last
  /// stable offset (librdkafka sends its isolation level along).
  ///
  /// - Parameter timeout: µs; librdkafka may take a little longer.
  /// - Returns: by position in `partitions`; nil where the log holds no such offset.
  /// - Throws: `KafkaError`; also where only one of the partitions failed, since librdkafka then
  ///   keeps the other answers back.
  package func offsets(
    _ place: LogPlace, topic: String, partitions: [Int32], timeout: Int64
  ) throws(KafkaError) -> [Int64?] {
    let list = PartitionList(topic, partitions.map { ($0, place.query) })
    try check(
      rd_kafka_offsets_for_times(handle, list.native, milliseconds(timeout)),
      "asking for offsets of topic \(topic)")
    var offsets: [Int64?] = []
    for partition in partitions {
      let answer = list.find(topic, partition)
      try check(answer.err, "asking for the offsets of \(topic) [\(partition)]")
      offsets.append(answer.offset < 0 ? nil : answer.offset)
    }
    return offsets
  }
}

extension Client {
  /// The cluster's id, as the brokers' answers to earlier questions told it; nil before the first
  /// one, and where the brokers tell none.
  package var clusterID: String? {
    guard let text = rd_kafka_clusterid(handle, 0) else { return nil }
    defer { rd_kafka_mem_free(handle, text) }
    return String(cString: text)
  }
}

/// A place in a partition's log.
package enum LogPlace: Equatable, Sendable {
  case beginning
  case end
  /// The first record whose timestamp is at or after this, in ms since 1970.
  case time(milliseconds: Int64)

  /// As the ListOffsets request has it.
  fileprivate var query: Int64 {
    switch self {
    case .beginning: -2
    case .end: -1
    case .time(let milliseconds): max(0, milliseconds)
    }
  }
}

/// A list of partitions of one topic with an offset each, owned.
struct PartitionList: ~Copyable {
  let native: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

  init(_ topic: String, _ entries: [(partition: Int32, offset: Int64)]) {
    native = rd_kafka_topic_partition_list_new(Int32(entries.count))
    for (partition, offset) in entries {
      rd_kafka_topic_partition_list_add(native, topic, partition).pointee.offset = offset
    }
  }

  deinit { rd_kafka_topic_partition_list_destroy(native) }

  /// Puts a copy of a text beside an offset; once.
  func setMetadata(_ text: String, at index: Int) {
    native.pointee.elems[index].metadata = UnsafeMutableRawPointer(strdup(text))
    native.pointee.elems[index].metadata_size = text.utf8.count
  }

  /// An entry that is known to be in the list.
  func find(_ topic: String, _ partition: Int32) -> rd_kafka_topic_partition_t {
    guard let entry = rd_kafka_topic_partition_list_find(native, topic, partition) else {
      preconditionFailure("partition \(partition) is not in the list")
    }
    return entry.pointee
  }
}

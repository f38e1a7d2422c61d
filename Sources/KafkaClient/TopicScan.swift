import CRdKafka
import Platform

/// A stretch of one partition's log.
package struct LogSpan: Equatable, Sendable {
  package var partition: Int32
  /// The first offset.
  package var from: Int64
  /// One behind the last.
  package var to: Int64

  package init(partition: Int32, from: Int64, to: Int64) {
    self.partition = partition
    self.from = from
    self.to = to
  }
}

/// Reads stretches of a topic once, to look at what it holds; committed records alone, unless the
/// configuration says otherwise.
///
/// A stretch may have gaps and may end in control records: it is over when a record or the news of
/// the log's end lies at its end or behind. One thread uses it.
package final class TopicScan {
  private static let batchCapacity = 1_000
  private static let lookInterval: Int64 = 20_000
  private static let closeTimeout: Int64 = 5_000_000

  /// What `next` has found; dead with the next call. Entries with an error code are no records.
  package let batch = MessageBatch(capacity: TopicScan.batchCapacity)
  private let consumer: Consumer
  private let topic: String
  private let timeout: Int64
  private let wakeUp: WakeUp
  private var queues: [Int32: PartitionQueue] = [:]
  /// Where each partition's stretch ends that is not read to its end yet.
  private var ends: [Int32: Int64] = [:]

  /// - Parameters:
  ///   - group: not joined; needed to have partitions assigned.
  ///   - timeout: µs that may pass without a record.
  /// - Throws: `KafkaError`.
  package init(
    _ configuration: KafkaConfiguration, topic: String, _ spans: [LogSpan], group: String,
    timeout: Int64
  ) throws(KafkaError) {
    do throws(SystemError) { wakeUp = try WakeUp() } catch {
      throw KafkaError(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, "\(error)")
    }
    consumer = try Consumer(configuration, group: group)
    self.topic = topic
    self.timeout = timeout
    let spans = spans.filter { $0.from < $0.to }
    consumer.signalEvents(wakeUp)
    for span in spans {
      queues[span.partition] = PartitionQueue(
        consumer, topic: topic, partition: span.partition, wakeUp: wakeUp)
      ends[span.partition] = span.to
    }
    try consumer.assign(topic: topic, spans.map { ($0.partition, $0.from) })
  }

  deinit {
    batch.giveBack()
    queues = [:]
    _ = consumer.close(timeout: TopicScan.closeTimeout)
  }

  /// - Returns: the partition that `batch` holds records of, in their order; nil at the end.
  /// - Throws: `KafkaError` also where nothing has come for too long.
  package func next() throws(KafkaError) -> Int32? {
    let deadline = Clock.monotonic + timeout
    while !ends.isEmpty {
      if let partition = try take() { return partition }
      if Clock.monotonic > deadline {
        let told = consumer.takeErrors().first { $0.kind != .transient }
        throw told ?? KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, "reading topic \(topic)")
      }
      wakeUp.wait(timeout: TopicScan.lookInterval)
    }
    batch.giveBack()
    return nil
  }

  private func take() throws(KafkaError) -> Int32? {
    if let (stray, error) = consumer.serve(stray: batch) {
      if let error, error.kind == .authentication || error.kind == .tls { throw error }
      if let stray {
        try note(stray)
        return stray
      }
    }
    for (partition, queue) in queues where ends[partition] != nil {
      queue.take(into: batch)
      if batch.count == 0 { continue }
      try note(partition)
      return partition
    }
    return nil
  }

  /// Sees whether a partition's stretch is over.
  private func note(_ partition: Int32) throws(KafkaError) {
    for (index, entry) in batch.entries.enumerated() {
      let next: Int64
      if entry.errorCode == 0 {
        next = entry.offset + 1
      } else {
        let error = batch.error(at: index)
        if !error.isPartitionEnd { throw error }
        next = entry.offset
      }
      if let end = ends[partition], next >= end { ends[partition] = nil }
    }
  }
}

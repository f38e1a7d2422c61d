import CRdKafka
package import Platform

/// The local queue of one partition: what librdkafka has fetched of it and nobody has taken yet.
///
/// Made before the partition is assigned: librdkafka then leaves its messages here instead of
/// mixing all partitions in one queue (its flag RD_KAFKA_Q_F_FWD_APP).
package final class PartitionQueue {
  private let queue: OpaquePointer
  private let consumer: Consumer
  private let wakeUp: WakeUp

  /// - Parameter wakeUp: signalled when the queue was empty and something arrives.
  package init?(_ consumer: Consumer, topic: String, partition: Int32, wakeUp: WakeUp) {
    guard let queue = rd_kafka_queue_get_partition(consumer.handle, topic, partition) else {
      return nil
    }
    rd_kafka_queue_forward(queue, nil)
    consumer.signal(wakeUp, on: queue)
    self.queue = queue
    self.consumer = consumer
    self.wakeUp = wakeUp
  }

  deinit {
    rd_kafka_queue_io_event_enable(queue, -1, nil, 0)
    rd_kafka_queue_destroy(queue)
  }

  /// How many entries wait.
  package var count: Int { rd_kafka_queue_length(queue) }

  /// Takes what waits, up to the batch's capacity, without waiting.
  package func take(into batch: MessageBatch) { batch.fill(from: queue) }
}

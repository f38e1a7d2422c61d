import CRdKafka

/// Commits offsets to the consumer's group in the background, for lag tools.
///
/// At most one commit is under way; what comes in the meantime is merged and sent after it. One
/// thread uses it.
package final class OffsetMirror {
  private let consumer: Consumer
  private let topic: String
  private let queue: OpaquePointer
  private var waiting: [Int32: Int64] = [:]
  private var isUnderWay = false
  private var failure: KafkaError?

  package init(_ consumer: Consumer, topic: String) {
    self.consumer = consumer
    self.topic = topic
    queue = rd_kafka_queue_new(consumer.handle)
  }

  deinit { rd_kafka_queue_destroy(queue) }

  /// Whether everything given has been answered.
  package var isIdle: Bool { !isUnderWay && waiting.isEmpty }

  package func commit(_ offsets: [(partition: Int32, nextOffset: Int64)]) {
    for (partition, offset) in offsets { waiting[partition] = offset }
    poll(timeout: 0)
  }

  /// Takes answers and sends what waits.
  ///
  /// - Parameter timeout: µs to wait for an answer.
  /// - Returns: the last failure since the last call.
  @discardableResult
  package func poll(timeout: Int64) -> KafkaError? {
    if isUnderWay {
      rd_kafka_queue_poll_callback(queue, timeout == 0 ? 0 : milliseconds(timeout))
    }
    if !isUnderWay && !waiting.isEmpty { send() }
    defer { failure = nil }
    return failure
  }

  private func send() {
    let list = PartitionList(topic, waiting.map { ($0.key, $0.value) })
    waiting = [:]
    isUnderWay = true
    let code = rd_kafka_commit_queue(
      consumer.handle, list.native, queue,
      { _, code, offsets, opaque in
        guard let opaque else { return }
        let mirror = Unmanaged<OffsetMirror>.fromOpaque(opaque).takeUnretainedValue()
        mirror.answer(code, offsets)
      }, Unmanaged.passUnretained(self).toOpaque())
    if code != RD_KAFKA_RESP_ERR_NO_ERROR { answer(code, nil) }
  }

  private func answer(
    _ code: rd_kafka_resp_err_t,
    _ offsets: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
  ) {
    isUnderWay = false
    var code = code
    if let offsets, code == RD_KAFKA_RESP_ERR_NO_ERROR {
      for index in 0..<Int(offsets.pointee.cnt) {
        let answer = offsets.pointee.elems[index].err
        if answer != RD_KAFKA_RESP_ERR_NO_ERROR { code = answer }
      }
    }
    if code != RD_KAFKA_RESP_ERR_NO_ERROR { failure = KafkaError(code, "committing offsets") }
  }
}

import CRdKafka

/// One entry of a partition's queue: a record, or something that happened to the partition.
package struct KafkaMessage {
  package var offset: Int64
  /// ms since 1970; -1 where the log has none.
  package var timestamp: Int64
  /// Nil for a null value.
  package var value: UnsafeRawBufferPointer?
  /// 0 for a record; else what happened (`MessageBatch.error(at:)`), with `offset` as its place.
  package var errorCode: Int32
}

/// Room for messages taken from queues. They belong to librdkafka and live until `giveBack`.
///
/// One thread uses it. No allocation happens after `init`.
package final class MessageBatch {
  package let capacity: Int
  package private(set) var count = 0
  private let natives: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
  private let messages: UnsafeMutablePointer<KafkaMessage>

  package init(capacity: Int) {
    self.capacity = capacity
    natives = .allocate(capacity: capacity)
    natives.initialize(repeating: nil, count: capacity)
    messages = .allocate(capacity: capacity)
  }

  deinit {
    giveBack()
    natives.deallocate()
    messages.deallocate()
  }

  package var entries: UnsafeBufferPointer<KafkaMessage> {
    UnsafeBufferPointer(start: messages, count: count)
  }

  /// What an entry with an error code says.
  package func error(at index: Int) -> KafkaError {
    let native = natives[index]!
    let text = rd_kafka_message_errstr(native).map { String(cString: $0) } ?? ""
    return KafkaError(code: messages[index].errorCode, message: text)
  }

  /// The key of an entry that is a record; nil where it has none. Lives as long as the values.
  package func key(at index: Int) -> UnsafeRawBufferPointer? {
    let message = natives[index]!.pointee
    return message.key.map { UnsafeRawBufferPointer(start: $0, count: message.key_len) }
  }

  /// The last header of a name that a record has; nil where it has none.
  package func header(_ name: String, at index: Int) -> UnsafeRawBufferPointer? {
    var headers: OpaquePointer?
    var value: UnsafeRawPointer?
    var count = 0
    guard
      rd_kafka_message_headers(natives[index], &headers) == RD_KAFKA_RESP_ERR_NO_ERROR,
      rd_kafka_header_get_last(headers, name, &value, &count) == RD_KAFKA_RESP_ERR_NO_ERROR
    else { return nil }
    return UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : count)
  }

  /// Ends the life of the messages. Their values must not be used any more.
  package func giveBack() {
    for index in 0..<count { rd_kafka_message_destroy(natives[index]) }
    count = 0
  }

  /// Takes what a queue holds, up to `capacity`, after giving back what was held.
  func fill(from queue: OpaquePointer) {
    giveBack()
    let taken = rd_kafka_consume_batch_queue(queue, 0, natives, capacity)
    count = max(0, taken)
    for index in 0..<count { describe(index) }
  }

  /// Takes over one message, after giving back what was held.
  func hold(_ native: UnsafeMutablePointer<rd_kafka_message_t>) {
    giveBack()
    natives[0] = native
    count = 1
    describe(0)
  }

  private func describe(_ index: Int) {
    let native = natives[index]!
    let message = native.pointee
    var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    let isRecord = message.err == RD_KAFKA_RESP_ERR_NO_ERROR
    let timestamp = isRecord ? rd_kafka_message_timestamp(native, &kind) : -1
    (messages + index).initialize(
      to: KafkaMessage(
        offset: message.offset,
        timestamp: kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp,
        value: isRecord && message.payload != nil
          ? UnsafeRawBufferPointer(start: message.payload, count: message.len) : nil,
        errorCode: message.err.rawValue))
  }
}

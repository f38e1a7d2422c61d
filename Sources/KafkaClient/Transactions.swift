import CRdKafka

/// Transactions of a producer whose configuration names a `transactional.id`.
extension Producer {
  /// Fences earlier producers of the same id. Times in µs.
  package func initTransactions(timeout: Int64) throws(KafkaError) {
    try check(rd_kafka_init_transactions(handle, milliseconds(timeout)))
  }

  package func beginTransaction() throws(KafkaError) {
    try check(rd_kafka_begin_transaction(handle))
  }

  package func commitTransaction(timeout: Int64) throws(KafkaError) {
    try check(rd_kafka_commit_transaction(handle, milliseconds(timeout)))
  }

  package func abortTransaction(timeout: Int64) throws(KafkaError) {
    try check(rd_kafka_abort_transaction(handle, milliseconds(timeout)))
  }

  /// Commits an offset with a text beside it to a group without members, as a part of the
  /// transaction.
  ///
  /// - Parameter metadata: ASCII; brokers take up to 4,096 bytes unless told otherwise.
  package func sendOffset(
    _ offset: Int64, topic: String, partition: Int32, metadata: String, group: String,
    timeout: Int64
  ) throws(KafkaError) {
    let list = PartitionList(topic, [(partition, offset)])
    list.setMetadata(metadata, at: 0)
    let member = rd_kafka_consumer_group_metadata_new(group)
    defer { rd_kafka_consumer_group_metadata_destroy(member) }
    try check(
      rd_kafka_send_offsets_to_transaction(handle, list.native, member, milliseconds(timeout)))
  }
}

extension Consumer {
  /// The text beside the offset that the consumer's group has committed; nil where there is none.
  ///
  /// Waits for transactions of the group that are about to end.
  package func committedMetadata(
    topic: String, partition: Int32, timeout: Int64
  ) throws(KafkaError) -> String? {
    let list = PartitionList(topic, [(partition, -1001)])
    try check(
      rd_kafka_committed(handle, list.native, milliseconds(timeout)),
      "asking what group has committed")
    let entry = list.find(topic, partition)
    try check(entry.err, "asking what a group has committed")
    guard entry.offset >= 0, let metadata = entry.metadata, entry.metadata_size > 0 else {
      return nil
    }
    return String(
      decoding: UnsafeRawBufferPointer(start: metadata, count: entry.metadata_size),
      as: UTF8.self)
  }
}

extension Client {
  /// Why the client can do nothing any more; nil while it can.
  package var fatalError: KafkaError? {
    var text = [CChar](repeating: 0, count: 512)
    let code = rd_kafka_fatal_error(handle, &text, text.count)
    if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
    return KafkaError(code: code.rawValue, message: string(text))
  }
}

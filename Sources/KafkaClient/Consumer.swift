import CRdKafka
package import Platform

/// A reader of partitions that the caller assigns itself, with explicit offsets; no group
/// membership, no subscription. Offsets are committed only by `Mirror`.
package final class Consumer: Client, @unchecked Sendable {
  private var mainQueue: OpaquePointer?

  /// What correctness needs, whatever the user says.
  package static let required: [(name: String, value: String, reason: String)] = [
    ("enable.auto.commit", "false", "the place to resume from is kept in the state alone"),
    ("enable.auto.offset.store", "false", "the place to resume from is kept in the state alone"),
    ("auto.offset.reset", "error", "any other value would skip deleted records without a word"),
    ("enable.partition.eof", "true", "it tells where a partition ends behind control records"),
  ]

  /// Used where the user says nothing.
  package static let defaults: [(name: String, value: String)] = [
    ("client.id", "sojourn"),
    ("isolation.level", "read_committed"),
    ("check.crcs", "true"),
    // An empty answer, and with it the news that the end is reached, waits this long at the broker.
    ("fetch.wait.max.ms", "100"),
    ("socket.keepalive.enable", "true"),
    ("reconnect.backoff.max.ms", "2000"),
    ("log.connection.close", "false"),
  ]

  /// - Throws: `KafkaError` of kind `configuration`.
  package init(_ configuration: KafkaConfiguration, group: String) throws(KafkaError) {
    let complete = try configuration.withDefaults(Self.defaults + [("group.id", group)])
      .requiring(Self.required)
    try super.init(RD_KAFKA_CONSUMER, complete)
    rd_kafka_poll_set_consumer(handle)
  }

  /// Has a wake-up signalled when an error or another event waits for `serve`.
  package func signalEvents(_ wakeUp: WakeUp) {
    guard mainQueue == nil, let queue = rd_kafka_queue_get_consumer(handle) else { return }
    mainQueue = queue
    signal(wakeUp, on: queue)
  }

  func signal(_ wakeUp: WakeUp, on queue: OpaquePointer) {
    var one: UInt64 = 1
    rd_kafka_queue_io_event_enable(queue, wakeUp.descriptor, &one, 8)
  }

  /// Runs what librdkafka has for this thread: error callbacks above all.
  ///
  /// - Parameter stray: filled with a record that came outside its partition's queue.
  /// - Returns: the partition of that record; an error that concerns no single call, else.
  package func serve(stray: MessageBatch) -> (record: Int32?, error: KafkaError?)? {
    guard let message = rd_kafka_consumer_poll(handle, 0) else { return nil }
    let code = message.pointee.err
    if code == RD_KAFKA_RESP_ERR_NO_ERROR {
      let partition = message.pointee.partition
      stray.hold(message)
      return (partition, nil)
    }
    defer { rd_kafka_message_destroy(message) }
    let text = rd_kafka_message_errstr(message).map { String(cString: $0) } ?? ""
    return (nil, KafkaError(code: code.rawValue, message: text))
  }

  /// Begins to read partitions at numeric offsets. Only the thread that takes messages may call it.
  package func assign(
    topic: String, _ starts: [(partition: Int32, offset: Int64)]
  ) throws(KafkaError) {
    let list = PartitionList(topic, starts)
    try check(rd_kafka_incremental_assign(handle, list.native))
  }

  /// Ends reading partitions; what is queued of them is dropped. Only the thread that takes messages
  /// may call it.
  package func unassign(topic: String, _ partitions: [Int32]) throws(KafkaError) {
    let list = PartitionList(topic, partitions.map { ($0, -1001) })
    try check(rd_kafka_incremental_unassign(handle, list.native))
  }

  /// What the group has committed; nil where nothing.
  package func committed(
    topic: String, partitions: [Int32], timeout: Int64
  ) throws(KafkaError) -> [Int64?] {
    let list = PartitionList(topic, partitions.map { ($0, -1001) })
    try check(
      rd_kafka_committed(handle, list.native, milliseconds(timeout)), "asking for committed offsets"
    )
    return partitions.map { partition in
      let offset = list.find(topic, partition).offset
      return offset < 0 ? nil : offset
    }
  }

  /// Ends the client within bounds. Queues made from it must be gone, messages given back, and no
  /// call under way.
  ///
  /// - Parameter timeout: µs.
  /// - Returns: false if it had not ended by then; it goes on ending on a thread of its own.
  package func close(timeout: Int64) -> Bool {
    if let queue = mainQueue {
      rd_kafka_queue_io_event_enable(queue, -1, nil, 0)
      rd_kafka_queue_destroy(queue)
      mainQueue = nil
    }
    return destroy(timeout: timeout)
  }
}

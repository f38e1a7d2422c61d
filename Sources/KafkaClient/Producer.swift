import CRdKafka
import Platform

/// A writer of records: idempotent, acknowledged by all replicas.
///
/// Records that could not be delivered are counted and make `flush` throw: none is lost silently.
package final class Producer: Client, @unchecked Sendable {
  package static let defaults: [(name: String, value: String)] = [
    ("client.id", "sojourn"),
    ("enable.idempotence", "true"),
    ("compression.codec", "zstd"),
    ("linger.ms", "50"),
    ("batch.num.messages", "10000"),
    ("queue.buffering.max.kbytes", "131072"),
    ("log.connection.close", "false"),
  ]

  private let topics = Monitor([String: UInt]())

  /// - Throws: `KafkaError` of kind `configuration`.
  package init(_ configuration: KafkaConfiguration) throws(KafkaError) {
    try super.init(RD_KAFKA_PRODUCER, configuration.withDefaults(Self.defaults)) {
      native, events in events.attachDeliveryReports(to: native)
    }
  }

  deinit {
    topics.read { topics in
      for reference in topics.values {
        rd_kafka_topic_destroy(OpaquePointer(bitPattern: reference))
      }
    }
  }

  /// Records acknowledged and failed so far. Counted while `produce` and `flush` run.
  package var deliveries: (acknowledged: UInt64, failed: UInt64) {
    events.contents.read { ($0.deliveries, $0.deliveryFailures) }
  }

  /// Puts a copy of a record into the local queue, waiting while that is full.
  ///
  /// - Parameters:
  ///   - partition: -1 lets the key's hash choose.
  ///   - value: nil for a null value.
  ///   - headers: the record gets a copy of them as they are now.
  ///   - timestamp: ms since 1970; 0 for the present.
  ///   - timeout: µs to wait for room in the local queue.
  /// - Throws: `KafkaError`; the record was not taken.
  package func produce(
    topic: String, partition: Int32 = -1, key: UnsafeRawBufferPointer? = nil,
    value: UnsafeRawBufferPointer?, headers: RecordHeaders? = nil, timestamp: Int64 = 0,
    timeout: Int64 = 60_000_000
  ) throws(KafkaError) {
    let deadline = Clock.monotonic + timeout
    let reference = try topicReference(topic)
    while true {
      let code = send(reference, partition, key, value, headers?.copy(), timestamp)
      switch code {
      case RD_KAFKA_RESP_ERR_NO_ERROR:
        rd_kafka_poll(handle, 0)
        return
      case RD_KAFKA_RESP_ERR__QUEUE_FULL where Clock.monotonic < deadline:
        rd_kafka_poll(handle, 100)
      default: throw KafkaError(code, "producing to topic \(topic)")
      }
    }
  }

  /// The same with the partition chosen by the key's hash.
  package func produce(
    topic: String, key: [UInt8], value: [UInt8], headers: RecordHeaders
  ) throws(KafkaError) {
    let outcome: Result<Void, KafkaError> = key.withUnsafeBytes { key in
      value.withUnsafeBytes { value in
        do throws(KafkaError) {
          return .success(try produce(topic: topic, key: key, value: value, headers: headers))
        } catch {
          return .failure(error)
        }
      }
    }
    try outcome.get()
  }

  /// For tests and tools: text as UTF-8.
  package func produce(
    topic: String, partition: Int32 = -1, key: String? = nil, text: String?, timestamp: Int64 = 0
  ) throws(KafkaError) {
    let key = key.map { Array($0.utf8) }
    let value = text.map { Array($0.utf8) }
    let empty: [UInt8] = []
    var failure: KafkaError?
    (key ?? empty).withUnsafeBytes { keyBytes in
      (value ?? empty).withUnsafeBytes { valueBytes in
        do throws(KafkaError) {
          try produce(
            topic: topic, partition: partition, key: key == nil ? nil : keyBytes,
            value: value == nil ? nil : valueBytes, timestamp: timestamp)
        } catch { failure = error }
      }
    }
    if let failure { throw failure }
  }

  /// Waits until every record taken so far is acknowledged.
  ///
  /// - Parameter timeout: µs.
  /// - Throws: `KafkaError` if the time did not suffice or a record could not be delivered since the
  ///   producer was made; the number is in `deliveries`.
  package func flush(timeout: Int64) throws(KafkaError) {
    try check(rd_kafka_flush(handle, milliseconds(timeout)), "waiting for acknowledgements")
    let (failed, first) = events.contents.read { ($0.deliveryFailures, $0.firstDeliveryFailure) }
    if var first {
      first.message = "\(failed) records could not be delivered; the first: \(first.message)"
      throw first
    }
  }

  private func topicReference(_ topic: String) throws(KafkaError) -> OpaquePointer {
    let handle = handle
    let known = topics.change { topics -> UInt? in
      if let known = topics[topic] { return known }
      guard let new = rd_kafka_topic_new(handle, topic, nil) else { return nil }
      topics[topic] = UInt(bitPattern: new)
      return UInt(bitPattern: new)
    }
    guard let known, let reference = OpaquePointer(bitPattern: known) else {
      throw KafkaError(rd_kafka_last_error(), "topic \(topic)")
    }
    return reference
  }

  private func send(
    _ topic: OpaquePointer, _ partition: Int32, _ key: UnsafeRawBufferPointer?,
    _ value: UnsafeRawBufferPointer?, _ headers: OpaquePointer?, _ timestamp: Int64
  ) -> rd_kafka_resp_err_t {
    withUnsafeTemporaryAllocation(of: rd_kafka_vu_t.self, capacity: 7) { fields in
      var count = 0
      func add(_ type: rd_kafka_vtype_t, _ set: (inout rd_kafka_vu_t) -> Void) {
        var field = rd_kafka_vu_t()
        field.vtype = type
        set(&field)
        (fields.baseAddress! + count).initialize(to: field)
        count += 1
      }
      add(RD_KAFKA_VTYPE_RKT) { $0.u.rkt = topic }
      add(RD_KAFKA_VTYPE_PARTITION) { $0.u.i32 = partition }
      add(RD_KAFKA_VTYPE_MSGFLAGS) { $0.u.i = RD_KAFKA_MSG_F_COPY }
      add(RD_KAFKA_VTYPE_TIMESTAMP) { $0.u.i64 = timestamp }
      if let value {
        // librdkafka takes a null pointer for a null value, even where the length is 0.
        let start = value.baseAddress ?? UnsafeRawPointer(fields.baseAddress!)
        add(RD_KAFKA_VTYPE_VALUE) {
          $0.u.mem.ptr = UnsafeMutableRawPointer(mutating: start)
          $0.u.mem.size = value.count
        }
      }
      if let key, let start = key.baseAddress {
        add(RD_KAFKA_VTYPE_KEY) {
          $0.u.mem.ptr = UnsafeMutableRawPointer(mutating: start)
          $0.u.mem.size = key.count
        }
      }
      if let headers { add(RD_KAFKA_VTYPE_HEADERS) { $0.u.headers = headers } }
      guard let error = rd_kafka_produceva(handle, fields.baseAddress, count) else {
        return RD_KAFKA_RESP_ERR_NO_ERROR
      }
      defer { rd_kafka_error_destroy(error) }
      // They belong to the message only once there is one.
      if let headers { rd_kafka_headers_destroy(headers) }
      return rd_kafka_error_code(error)
    }
  }
}

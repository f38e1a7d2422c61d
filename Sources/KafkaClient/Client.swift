import CRdKafka
import Platform

/// A client of librdkafka with its threads and connections, of either type.
///
/// Unchecked: librdkafka allows any thread to call any function on one client ("librdkafka is
/// completely thread-safe", INTRODUCTION.md); what is not safe during `close` the owners order.
package class Client: @unchecked Sendable {
  let handle: OpaquePointer
  let events: ClientEvents
  /// Set by `close`, after which `handle` is dead.
  private let isClosed = Monitor(false)

  /// - Throws: `KafkaError` of kind `configuration`.
  init(
    _ type: rd_kafka_type_t, _ configuration: KafkaConfiguration,
    prepare: (OpaquePointer, ClientEvents) -> Void = { _, _ in }
  ) throws(KafkaError) {
    let events = ClientEvents(configuration)
    let native = try configuration.makeNative()
    events.attach(to: native)
    prepare(native, events)
    var text = [CChar](repeating: 0, count: 512)
    guard let handle = rd_kafka_new(type, native, &text, text.count) else {
      rd_kafka_conf_destroy(native)
      throw .configuration(
        "the Kafka settings cannot work: \(configuration.redact(string(text)))")
    }
    self.handle = handle
    self.events = events
  }

  deinit { destroy() }

  /// Errors that concern no call: connections lost, credentials refused.
  package func takeErrors() -> [KafkaError] { events.takeErrors() }

  /// Lines of librdkafka's log (warnings and worse; all of them with `-X debug`), without secrets.
  package func takeLogLines() -> [String] { events.takeLines() }

  /// Destroys the client; may take as long as librdkafka's threads need to end. Nothing else may be
  /// called after or at the same time.
  func destroy() {
    let first = isClosed.change { closed in
      defer { closed = true }
      return !closed
    }
    if first { rd_kafka_destroy_flags(handle, Int32(RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)) }
  }

  /// Destroys on a thread of its own and waits for it within bounds.
  ///
  /// - Parameter timeout: µs.
  /// - Returns: false if it had not ended by then; it goes on ending.
  func destroy(timeout: Int64) -> Bool {
    let done = Monitor(false)
    guard
      (try? WorkerThread("kafka-close") {
        self.destroy()
        done.change { $0 = true }
      }) != nil
    else {
      destroy()
      return true
    }
    return done.wait(until: Clock.monotonic + timeout) { $0 ? true : nil } ?? false
  }
}

/// A time-out as librdkafka takes it; at least 1 ms, since 0 means "do not wait" there.
func milliseconds(_ microseconds: Int64) -> Int32 {
  Int32(clamping: max(1, microseconds / 1_000))
}

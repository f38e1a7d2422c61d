import CRdKafka
import Platform

/// What librdkafka tells besides answers: errors and log lines, kept until somebody asks.
///
/// librdkafka's threads and the caller's both add to it.
final class ClientEvents: Sendable {
  /// Lines beyond this are counted, not kept.
  private static let keptLines = 64

  struct Contents: Sendable {
    var errors: [KafkaError] = []
    var lines: [String] = []
    var dropped = 0
    var deliveryFailures: UInt64 = 0
    var firstDeliveryFailure: KafkaError?
    var deliveries: UInt64 = 0
  }

  let contents = Monitor(Contents())
  private let configuration: KafkaConfiguration
  private let isVerbose: Bool

  init(_ configuration: KafkaConfiguration) {
    self.configuration = configuration
    isVerbose = configuration["debug"] != nil
  }

  func takeErrors() -> [KafkaError] {
    contents.change { contents in
      let errors = contents.errors
      contents.errors = []
      return errors
    }
  }

  func takeLines() -> [String] {
    contents.change { contents in
      var lines = contents.lines
      if contents.dropped > 0 { lines.append("\(contents.dropped) more messages of librdkafka") }
      contents.lines = []
      contents.dropped = 0
      return lines
    }
  }

  fileprivate func add(_ error: KafkaError) {
    var error = error
    error.message = configuration.redact(error.message)
    contents.change { contents in
      if contents.errors.count < Self.keptLines { contents.errors.append(error) }
    }
  }

  fileprivate func addLine(level: Int32, facility: String, _ text: String) {
    // FAIL and ERROR lines repeat what the error callback says; below that, warnings and worse.
    if !isVerbose && (level > 4 || facility == "FAIL" || facility == "ERROR") { return }
    let line = configuration.redact("librdkafka: \(facility): \(text)")
    contents.change { contents in
      if contents.lines.count < Self.keptLines {
        contents.lines.append(line)
      } else {
        contents.dropped += 1
      }
    }
  }

  /// Makes a configuration report here. It keeps no reference: the caller must outlive the client.
  func attach(to native: OpaquePointer) {
    rd_kafka_conf_set_opaque(native, Unmanaged.passUnretained(self).toOpaque())
    rd_kafka_conf_set_error_cb(native) { _, code, reason, opaque in
      guard let opaque else { return }
      let text = reason.map { String(cString: $0) } ?? ""
      Unmanaged<ClientEvents>.fromOpaque(opaque).takeUnretainedValue()
        .add(KafkaError(code: code, message: text))
    }
    rd_kafka_conf_set_log_cb(native) { client, level, facility, text in
      guard let client, let opaque = rd_kafka_opaque(client), let facility, let text else { return }
      Unmanaged<ClientEvents>.fromOpaque(opaque).takeUnretainedValue()
        .addLine(
          level: level, facility: String(cString: facility), String(cString: text))
    }
  }

  /// Counts what became of each message that a producer took.
  func attachDeliveryReports(to native: OpaquePointer) {
    rd_kafka_conf_set_dr_msg_cb(native) { _, message, opaque in
      guard let opaque, let message else { return }
      let events = Unmanaged<ClientEvents>.fromOpaque(opaque).takeUnretainedValue()
      let code = message.pointee.err
      events.contents.change { contents in
        if code == RD_KAFKA_RESP_ERR_NO_ERROR {
          contents.deliveries += 1
        } else {
          contents.deliveryFailures += 1
          if contents.firstDeliveryFailure == nil {
            contents.firstDeliveryFailure = KafkaError(code, "delivery")
          }
        }
      }
    }
  }
}

/// A late record, or a rejected one.
package struct SideRecord: Hashable, Sendable {
  package var partition: Int32
  package var offset: Int64
  /// `LateReason` or `RejectReason`, raw.
  package var reason: UInt8
  /// `EventField`, raw; 0 for none.
  package var field: UInt8
  /// The Kafka timestamp, `.never` for none.
  package var recordTime: Microseconds
  /// Late records: the event's time; rejected: `.never`.
  package var eventTime: Microseconds
  /// Late records: what the time was compared with (`max(W_p, W)`); rejected: `.never`.
  package var watermark: Microseconds
  /// The value's whole length in bytes; -1 for a null value.
  package var valueLength: Int64
  /// The first `Limits.keptPayloadBytes` of the value.
  package var payload: [UInt8]

  package init(
    partition: Int32, offset: Int64, reason: UInt8, field: UInt8 = 0, recordTime: Microseconds,
    eventTime: Microseconds = .never, watermark: Microseconds = .never, valueLength: Int64,
    payload: [UInt8]
  ) {
    self.partition = partition
    self.offset = offset
    self.reason = reason
    self.field = field
    self.recordTime = recordTime
    self.eventTime = eventTime
    self.watermark = watermark
    self.valueLength = valueLength
    self.payload = payload
  }

  /// The reason's name as documented; the number where this version knows none.
  package func reasonCode(in output: SideOutput) -> String {
    let code =
      output == .late ? LateReason(rawValue: reason)?.code : RejectReason(rawValue: reason)?.code
    return code ?? "\(reason)"
  }

  /// What is kept of the value, bytes that are not UTF-8 replaced; nil for a null value.
  package var payloadText: String? {
    valueLength < 0 ? nil : String(decoding: payload, as: UTF8.self)
  }
}

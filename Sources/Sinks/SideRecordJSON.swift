package import SessionModel

/// A late or rejected record as one JSON object without spaces.
package enum SideRecordJSON {
  /// Appends the object, without a line feed; the same record always gives the same bytes.
  ///
  /// Bytes of the payload that are not UTF-8 become U+FFFD.
  package static func append(
    _ record: SideRecord, of output: SideOutput, topic: String, to bytes: inout [UInt8]
  ) {
    var object = Object()
    object.member("topic", text: topic)
    object.member("partition", number: record.partition)
    object.member("offset", number: record.offset)
    object.member("reason", text: record.reasonCode(in: output))
    object.member("field", text: EventField(rawValue: record.field)?.name)
    object.member("record_time", text: time(record.recordTime))
    if output == .late {
      object.member("event_time", text: time(record.eventTime))
      object.member("watermark", text: time(record.watermark))
    }
    object.member("value_length", number: record.valueLength)
    object.member("payload", text: record.payloadText)
    bytes += object.bytes
    bytes.append(UInt8(ascii: "}"))
  }

  private static func time(_ time: Microseconds) -> String? {
    time == .never ? nil : TimeText.timestamp(time)
  }

  private struct Object {
    var bytes: [UInt8] = []

    mutating func member(_ name: String, text: String?) {
      key(name)
      if let text { JSONText.append(text, to: &bytes) } else { bytes += "null".utf8 }
    }

    mutating func member(_ name: String, number: some BinaryInteger) {
      key(name)
      bytes += String(number).utf8
    }

    private mutating func key(_ name: String) {
      bytes += (bytes.isEmpty ? "{" : ",").utf8
      JSONText.append(name, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
    }
  }
}

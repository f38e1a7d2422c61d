import CSimdJSON
package import SessionModel

/// How one record is read, field by field: for `sojourn preview`.
package struct RecordInspection {
  /// Why the record is no event; nil if it is one.
  package var rejection: Rejection?
  /// Every field there is; none where the record as a whole is not read.
  package var fields: [FieldReading]
}

/// What was found where a field's path leads, and what is made of it.
package struct FieldReading: Equatable, Sendable {
  /// As `--field` takes it.
  package var name: String
  /// As `--field` takes it.
  package var path: String
  /// JSON's word for what stands there; `absent`, or `below a …` where the path leads nowhere;
  /// `in the header` for a family of a raw user agent.
  package var found: String
  /// The text that an event gets; nil for none.
  package var value: String?
  /// Why the field would reject the record, were it judged alone.
  package var fault: RejectReason?
}

extension EventDecoder {
  /// Decodes one record as `decode` does, and tells how each field was read.
  ///
  /// - Parameters:
  ///   - userAgents: the families of a raw header.
  ///   - value, valueLength, recordTime, event: as `decode` has them.
  package mutating func inspect(
    _ value: UnsafeRawBufferPointer?, valueLength: Int, recordTime: Microseconds,
    userAgents: (TextView) -> UserAgentFamilies, into event: inout Event
  ) -> RecordInspection {
    let rejection = decode(
      value, valueLength: valueLength, recordTime: recordTime, into: &event)
    if let rejection, rejection.field == nil {
      return RecordInspection(rejection: rejection, fields: [])
    }
    // Of a rejected record the fields behind the fault are read here, each for itself.
    var alone = Event()
    var cuts = 0
    let families = rawUserAgent(cuts: &cuts).map(userAgents) ?? UserAgentFamilies()
    let fields = mapping.fields.map { field in
      var reading = reading(of: field, recordTime: recordTime, into: &alone)
      if let family = families[field], reading.value == nil, reading.fault == nil {
        reading.found = "in the header"
        reading.value = EventDecoder.string(family)
      }
      return reading
    }
    return RecordInspection(rejection: rejection, fields: fields)
  }

  private mutating func reading(
    of field: EventField, recordTime: Microseconds, into event: inout Event
  ) -> FieldReading {
    let slot = slot(field)
    var value: String?
    var rejection: Rejection?
    switch field {
    case .userID:
      rejection = decodeUserID(into: &event)
      if rejection == nil, event.userID.isEmpty, !mayLackUser {
        rejection = Rejection(.missingKey, field)
      }
      value = event.userID.isEmpty ? nil : EventDecoder.string(event.userID)
    case .ip:
      rejection = decodeIP(into: &event)
      value = event.ip.isEmpty ? nil : EventDecoder.string(event.ip)
    case .eventTime:
      rejection = decodeTime(recordTime: recordTime, into: &event)
      value = TimeText.timestamp(event.time)
    case .userAgent:
      rejection = faultInUserAgent()
      let isText = slot.type == UInt8(CSIMDJSON_STRING.rawValue)
      value = isText ? EventDecoder.string(text(slot)) : nil
    case .ownKey1, .ownKey2, .ownKey3, .ownKey4:
      value = readOwnKey(field, fault: &rejection)
    case .url, .referrer, .host, .eventType, .browserFamily, .osFamily, .deviceFamily:
      var kept: TextView?
      var cuts = 0
      if !keep(field, in: &kept, cuts: &cuts) { rejection = Rejection(.wrongType, field) }
      value = kept.map(EventDecoder.string)
    }
    return FieldReading(
      name: mapping.name(of: field), path: FieldMapping.text(of: mapping.path(of: field)),
      found: EventDecoder.word(for: slot), value: rejection == nil ? value : nil,
      fault: rejection?.reason)
  }

  private func readOwnKey(_ field: EventField, fault rejection: inout Rejection?) -> String? {
    var bytes = [UInt8](repeating: 0, count: 20)
    return bytes.withUnsafeMutableBytes { number in
      guard let text = identifier(field, number: number) else {
        rejection = Rejection(.wrongType, field)
        return nil
      }
      rejection = text.isEmpty ? Rejection(.missingKey, field) : faultInKey(text, field)
      return EventDecoder.string(text)
    }
  }

  private static func string(_ text: TextView) -> String { String(decoding: text, as: UTF8.self) }

  private static func word(for slot: csimdjson_slot) -> String {
    switch csimdjson_type(UInt32(slot.type)) {
    case CSIMDJSON_NULL: "null"
    case CSIMDJSON_STRING: "string"
    case CSIMDJSON_INT64, CSIMDJSON_UINT64: "integer"
    case CSIMDJSON_DOUBLE: "number"
    case CSIMDJSON_BOOLEAN: "boolean"
    case CSIMDJSON_OBJECT: "object"
    case CSIMDJSON_ARRAY: "array"
    case CSIMDJSON_BELOW_STRING: "below a string"
    case CSIMDJSON_BELOW_OTHER: "below no object"
    default: "absent"
    }
  }
}

extension UserAgentFamilies {
  /// The family that the field gets; nil for fields of other kinds, too.
  fileprivate subscript(field: EventField) -> TextView? {
    switch field {
    case .browserFamily: browser
    case .osFamily: os
    case .deviceFamily: device
    default: nil
    }
  }
}

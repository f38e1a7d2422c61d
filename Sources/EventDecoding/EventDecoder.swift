import CSimdJSON
package import SessionModel

/// Turns record values into events.
///
/// A record is one JSON object (RFC 8259), in UTF-8, with nothing behind it; a byte order mark
/// before it is skipped. All of it is checked, also what is not mapped. Where an object has a key twice, the
/// last one counts. Fields are judged in the order of `EventField`, and the first fault is reported.
///
/// It takes its memory when it is made; decoding allocates nothing. It belongs to one thread at a
/// time.
package struct EventDecoder: ~Copyable {
  private let options: DecodingOptions
  var mapping: FieldMapping { options.mapping }
  private let parser: OpaquePointer
  /// The values found, by raw value of `EventField`.
  private let slots: UnsafeMutableBufferPointer<csimdjson_slot>
  /// The text of a numeric user_id.
  private let userIDBuffer: UnsafeMutableRawBufferPointer
  /// The canonical text of an address.
  private let ipBuffer: UnsafeMutableRawBufferPointer
  /// The families whose paths lead through the `user_agent` path, one bit by raw value.
  private let withinUserAgent: UInt32

  package init(options: DecodingOptions = DecodingOptions()) {
    self.options = options
    guard let parser = csimdjson_create(Limits.recordBytes, Limits.jsonDepth) else {
      preconditionFailure("out of memory for the JSON parser")
    }
    self.parser = parser
    slots = .allocate(capacity: EventField.allCases.count + 1)
    slots.initialize(repeating: csimdjson_slot())
    userIDBuffer = .allocate(byteCount: 20, alignment: 8)
    ipBuffer = .allocate(byteCount: IPAddressText.maxBytes, alignment: 8)
    let userAgent = options.mapping.path(of: .userAgent)
    var within: UInt32 = 0
    for field in EventField.allCases {
      let path = options.mapping.path(of: field)
      EventDecoder.bind(path, to: field, in: parser)
      if path.count > userAgent.count, path.starts(with: userAgent) {
        within |= 1 << field.rawValue
      }
    }
    withinUserAgent = within
  }

  deinit {
    csimdjson_destroy(parser)
    slots.deallocate()
    userIDBuffer.deallocate()
    ipBuffer.deallocate()
  }

  private static func bind(_ path: [String], to field: EventField, in parser: OpaquePointer) {
    var node: Int32 = 0
    for var key in path {
      node = key.withUTF8 { csimdjson_child(parser, node, $0.baseAddress, $0.count) }
      precondition(node > 0, "out of memory for the table of paths")
    }
    csimdjson_bind(parser, node, UInt32(field.rawValue))
  }

  /// Decodes one record.
  ///
  /// - Parameters:
  ///   - value: the record's value; nil for a null value. Only of a value longer than
  ///     `Limits.recordBytes` may it be a part.
  ///   - valueLength: the length of the whole value in bytes.
  ///   - recordTime: the record's timestamp in µs since 1970; `.never` where there is none.
  ///   - event: filled where nil is returned, else in an undefined state. Its texts are valid until
  ///     the next call.
  /// - Returns: nil for an event, else why the record is none.
  package mutating func decode(
    _ value: UnsafeRawBufferPointer?, valueLength: Int, recordTime: Microseconds,
    into event: inout Event
  ) -> Rejection? {
    guard let value else { return Rejection(.nullValue) }
    guard valueLength <= Limits.recordBytes else { return Rejection(.tooLarge) }
    precondition(value.count == valueLength, "a value within the limit is given as a whole")
    if let reason = parse(EventDecoder.withoutByteOrderMark(value)) { return Rejection(reason) }
    event.cutTexts = 0
    if let rejection = decodeUserID(into: &event) { return rejection }
    if let rejection = decodeIP(into: &event) { return rejection }
    if let rejection = decodeTime(recordTime: recordTime, into: &event) { return rejection }
    return decodeTexts(into: &event)
  }

  private static func withoutByteOrderMark(
    _ value: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer {
    guard value.count >= 3, value[0] == 0xEF, value[1] == 0xBB, value[2] == 0xBF else {
      return value
    }
    return UnsafeRawBufferPointer(rebasing: value[3...])
  }

  private func parse(_ document: UnsafeRawBufferPointer) -> RejectReason? {
    let result = csimdjson_parse(
      parser, document.baseAddress, document.count, slots.baseAddress, UInt32(slots.count))
    switch result {
    case CSIMDJSON_OK: return nil
    case CSIMDJSON_NOT_JSON: return .notJSON
    case CSIMDJSON_NOT_OBJECT: return .notObject
    case CSIMDJSON_TOO_DEEP: return .tooDeep
    case CSIMDJSON_BAD_TEXT: return .badText
    case CSIMDJSON_BAD_NUMBER:
      return NumberGrammar.hasMalformedNumber(document) ? .notJSON : .numberOutOfRange
    default: preconditionFailure("the JSON parser failed: \(result.rawValue)")
    }
  }
}

// MARK: - Fields

extension EventDecoder {
  func slot(_ field: EventField) -> csimdjson_slot { slots[Int(field.rawValue)] }

  func text(_ slot: csimdjson_slot) -> TextView {
    TextView(start: slot.text, count: slot.length)
  }

  /// A number, a string; null, absent or `""` for a visitor who is not logged in.
  func decodeUserID(into event: inout Event) -> Rejection? {
    let slot = slot(.userID)
    switch csimdjson_type(UInt32(slot.type)) {
    case CSIMDJSON_ABSENT, CSIMDJSON_NULL:
      event.userID = TextView(start: nil, count: 0)
    case CSIMDJSON_STRING:
      event.userID = text(slot)
      return faultInKey(event.userID, .userID)
    case CSIMDJSON_INT64, CSIMDJSON_UINT64:
      var writer = TextWriter(userIDBuffer)
      let isSigned = slot.type == UInt8(CSIMDJSON_INT64.rawValue)
      let signed = isSigned ? Int64(bitPattern: slot.integer) : 0
      if signed < 0 { writer.append(UInt8(ascii: "-")) }
      writer.append(isSigned ? signed.magnitude : slot.integer, radix: 10)
      event.userID = TextView(start: userIDBuffer.baseAddress, count: writer.count)
    default: return Rejection(.wrongType, .userID)
    }
    return nil
  }

  func decodeIP(into event: inout Event) -> Rejection? {
    let slot = slot(.ip)
    switch csimdjson_type(UInt32(slot.type)) {
    case CSIMDJSON_ABSENT, CSIMDJSON_NULL: return Rejection(.missingIP, .ip)
    case CSIMDJSON_STRING:
      let text = text(slot)
      if text.isEmpty { return Rejection(.missingIP, .ip) }
      if let canonical = IPAddressText.canonical(text, buffer: ipBuffer) {
        event.ip = canonical
        return nil
      }
      event.ip = text
      return faultInKey(text, .ip)
    default: return Rejection(.wrongType, .ip)
    }
  }

  private func faultInKey(_ text: TextView, _ field: EventField) -> Rejection? {
    if text.count > Limits.keyFieldBytes { return Rejection(.keyTooLong, field) }
    for byte in text where byte < 0x20 || byte == 0x7F {
      return Rejection(.controlCharacterInKey, field)
    }
    return nil
  }

  func decodeTime(recordTime: Microseconds, into event: inout Event) -> Rejection? {
    let slot = slot(.eventTime)
    let decoded: DecodedTime
    switch csimdjson_type(UInt32(slot.type)) {
    case CSIMDJSON_ABSENT, CSIMDJSON_NULL:
      guard options.fallbackToRecordTime, recordTime != .never else {
        return Rejection(.missingTime, .eventTime)
      }
      decoded = .checked(recordTime)
    case CSIMDJSON_STRING:
      decoded = TimestampText.decode(
        text(slot), unit: options.timeUnit, assumeUTC: options.assumeUTC)
    case CSIMDJSON_INT64:
      decoded =
        Int64(bitPattern: slot.integer) < 0
        ? .rejected(.timeOutOfRange)
        : EpochTime.decode(integer: slot.integer, unit: options.timeUnit)
    case CSIMDJSON_UINT64: decoded = .rejected(.timeOutOfRange)
    case CSIMDJSON_DOUBLE:
      decoded = EpochTime.decode(double: slot.number, unit: options.timeUnit)
    default: return Rejection(.wrongType, .eventTime)
    }
    switch decoded {
    case .time(let time):
      event.time = time
      return nil
    case .rejected(let reason): return Rejection(reason, .eventTime)
    }
  }

  private func decodeTexts(into event: inout Event) -> Rejection? {
    var cuts = 0
    guard keep(.url, in: &event.url, cuts: &cuts) else { return Rejection(.wrongType, .url) }
    guard keep(.referrer, in: &event.referrer, cuts: &cuts) else {
      return Rejection(.wrongType, .referrer)
    }
    guard keep(.host, in: &event.host, cuts: &cuts) else { return Rejection(.wrongType, .host) }
    if let rejection = faultInUserAgent() { return rejection }
    guard keep(.browserFamily, in: &event.browserFamily, cuts: &cuts) else {
      return Rejection(.wrongType, .browserFamily)
    }
    guard keep(.osFamily, in: &event.osFamily, cuts: &cuts) else {
      return Rejection(.wrongType, .osFamily)
    }
    guard keep(.deviceFamily, in: &event.deviceFamily, cuts: &cuts) else {
      return Rejection(.wrongType, .deviceFamily)
    }
    event.cutTexts = cuts
    return nil
  }

  /// The parsed object or the raw header.
  func faultInUserAgent() -> Rejection? {
    switch csimdjson_type(UInt32(slot(.userAgent).type)) {
    case CSIMDJSON_ABSENT, CSIMDJSON_NULL, CSIMDJSON_OBJECT, CSIMDJSON_STRING: nil
    default: Rejection(.wrongType, .userAgent)
    }
  }

  /// A text that a session keeps: nil for null and absent, `""` as it is, cut where it is too long.
  ///
  /// - Returns: false if the value is of another type.
  @inline(__always)
  func keep(_ field: EventField, in kept: inout TextView?, cuts: inout Int) -> Bool {
    let slot = slot(field)
    switch csimdjson_type(UInt32(slot.type)) {
    case CSIMDJSON_STRING:
      let text = text(slot)
      if text.count > Limits.keptTextBytes {
        kept = text.cut(at: Limits.keptTextBytes)
        cuts += 1
      } else {
        kept = text
      }
    case CSIMDJSON_ABSENT, CSIMDJSON_NULL: kept = nil
    case CSIMDJSON_BELOW_STRING:
      // A raw user-agent header has no parts yet.
      guard withinUserAgent & 1 << field.rawValue != 0,
        self.slot(.userAgent).type == UInt8(CSIMDJSON_STRING.rawValue)
      else { return false }
      kept = nil
    default: return false
    }
    return true
  }
}

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
  package var mapping: FieldMapping { options.mapping }
  private let parser: OpaquePointer
  /// The values found, by raw value of `EventField`.
  private let slots: UnsafeMutableBufferPointer<csimdjson_slot>
  /// The text of a numeric user_id.
  private let numberBuffer: UnsafeMutableRawBufferPointer
  /// The canonical text of an address.
  private let ipBuffer: UnsafeMutableRawBufferPointer
  /// The key's fields in order, and room for their joined text.
  private let keyFields: UnsafeMutableBufferPointer<EventField>
  private let keyBuffer: UnsafeMutableRawBufferPointer
  /// The slot of the header that holds the address: behind those of the fields.
  private static let ipHeaderSlot = EventField.allCases.count + 1
  /// `user_id` may be empty where it is not the only key field.
  let mayLackUser: Bool
  /// The families whose paths lead through the `user_agent` path, one bit by raw value.
  private let withinUserAgent: UInt32

  package init(options: DecodingOptions = DecodingOptions()) {
    self.options = options
    guard let parser = csimdjson_create(Limits.recordBytes, Limits.jsonDepth) else {
      preconditionFailure("out of memory for the JSON parser")
    }
    self.parser = parser
    slots = .allocate(capacity: EventDecoder.ipHeaderSlot + 1)
    let key = options.key
    keyFields = .allocate(capacity: key.fields.count)
    keyBuffer = .allocate(
      byteCount: key.fields.count * (Limits.keyFieldBytes + 1), alignment: 8)
    mayLackUser = key.fields.count > 1
    var own = EventField.ownKeys.makeIterator()
    for (index, _) in key.fields.enumerated() {
      let field =
        index == key.userID ? EventField.userID : index == key.ip ? EventField.ip : own.next()!
      keyFields.initializeElement(at: index, to: field)
    }
    slots.initialize(repeating: csimdjson_slot())
    numberBuffer = .allocate(byteCount: 20, alignment: 8)
    ipBuffer = .allocate(byteCount: IPAddressText.maxBytes, alignment: 8)
    let userAgent = options.mapping.path(of: .userAgent)
    var within: UInt32 = 0
    for field in options.mapping.fields {
      let path = options.mapping.path(of: field)
      EventDecoder.bind(path, to: field, in: parser)
      if path.count > userAgent.count, path.starts(with: userAgent) {
        within |= 1 << field.rawValue
      }
    }
    withinUserAgent = within
    if let header = options.ipHeader { EventDecoder.bind(header: header, in: parser) }
  }

  deinit {
    csimdjson_destroy(parser)
    slots.deallocate()
    numberBuffer.deallocate()
    keyFields.deallocate()
    keyBuffer.deallocate()
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

  private static func bind(header name: String, in parser: OpaquePointer) {
    var (headers, name) = ("headers", name)
    let node = headers.withUTF8 { csimdjson_child(parser, 0, $0.baseAddress, $0.count) }
    precondition(node > 0, "out of memory for the table of paths")
    let header = name.withUTF8 {
      csimdjson_child_any_case(parser, node, $0.baseAddress, $0.count)
    }
    precondition(header > 0, "out of memory for the table of paths")
    csimdjson_bind(parser, header, UInt32(ipHeaderSlot))
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
    if let rejection = joinKey(into: &event) { return rejection }
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
    guard let text = identifier(.userID, number: numberBuffer) else {
      return Rejection(.wrongType, .userID)
    }
    event.userID = text
    if options.key.userID != nil { return faultInKey(text, .userID) }
    event.userID = EventDecoder.kept(text, cuts: &event.cutTexts)
    return nil
  }

  /// A string or an integer as text, an empty one for null and absent; nil for other types.
  ///
  /// - Parameter number: gets an integer's text, at most 20 bytes.
  func identifier(
    _ field: EventField, number: UnsafeMutableRawBufferPointer
  ) -> TextView? {
    let slot = slot(field)
    switch csimdjson_type(UInt32(slot.type)) {
    case CSIMDJSON_ABSENT, CSIMDJSON_NULL: return TextView(start: nil, count: 0)
    case CSIMDJSON_STRING: return text(slot)
    case CSIMDJSON_INT64, CSIMDJSON_UINT64:
      var writer = TextWriter(number)
      let isSigned = slot.type == UInt8(CSIMDJSON_INT64.rawValue)
      let signed = isSigned ? Int64(bitPattern: slot.integer) : 0
      if signed < 0 { writer.append(UInt8(ascii: "-")) }
      writer.append(isSigned ? signed.magnitude : slot.integer, radix: 10)
      return TextView(start: number.baseAddress, count: writer.count)
    default: return nil
    }
  }

  func decodeIP(into event: inout Event) -> Rejection? {
    let slot = slot(.ip)
    let isKey = options.key.ip != nil
    event.ip = TextView(start: nil, count: 0)
    if options.ipHeader != nil, let address = forwardedAddress() {
      event.ip = address
      return nil
    }
    switch csimdjson_type(UInt32(slot.type)) {
    case CSIMDJSON_ABSENT, CSIMDJSON_NULL: return isKey ? Rejection(.missingIP, .ip) : nil
    case CSIMDJSON_STRING:
      let text = text(slot)
      if text.isEmpty { return isKey ? Rejection(.missingIP, .ip) : nil }
      if let canonical = IPAddressText.canonical(text, buffer: ipBuffer) {
        event.ip = canonical
        return nil
      }
      event.ip = text
      if isKey { return faultInKey(text, .ip) }
      event.ip = EventDecoder.kept(text, cuts: &event.cutTexts)
      return nil
    default: return Rejection(.wrongType, .ip)
    }
  }

  private func forwardedAddress() -> TextView? {
    let header = slots[EventDecoder.ipHeaderSlot]
    guard header.type == UInt8(CSIMDJSON_STRING.rawValue) else { return nil }
    return ForwardedAddress.first(in: text(header), buffer: ipBuffer)
  }

  /// Joins the key's fields; those of one's own are read here.
  private func joinKey(into event: inout Event) -> Rejection? {
    var length = 0
    for index in keyFields.indices {
      if index > 0 {
        keyBuffer[length] = KeyLayout.separator
        length += 1
      }
      let field = keyFields[index]
      switch field {
      case .userID:
        if event.userID.isEmpty, !mayLackUser { return Rejection(.missingKey, .userID) }
        append(event.userID, at: &length)
      case .ip: append(event.ip, at: &length)
      default:
        let number = UnsafeMutableRawBufferPointer(rebasing: keyBuffer[length...])
        guard let text = identifier(field, number: number) else {
          return Rejection(.wrongType, field)
        }
        if text.isEmpty { return Rejection(.missingKey, field) }
        if let fault = faultInKey(text, field) { return fault }
        append(text, at: &length)
      }
    }
    event.key = TextView(start: keyBuffer.baseAddress, count: length)
    return nil
  }

  private func append(_ text: TextView, at length: inout Int) {
    guard let start = text.baseAddress else { return }
    // A number's text stands there already.
    if start != UnsafeRawPointer(keyBuffer.baseAddress! + length) {
      (keyBuffer.baseAddress! + length).copyMemory(from: start, byteCount: text.count)
    }
    length += text.count
  }

  func faultInKey(_ text: TextView, _ field: EventField) -> Rejection? {
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
    var uncounted = 0
    guard keep(.eventType, in: &event.eventType, cuts: &uncounted) else {
      return Rejection(.wrongType, .eventType)
    }
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
    event.rawUserAgent = rawUserAgent(cuts: &cuts)
    event.cutTexts += cuts
    return nil
  }

  /// The user-agent header as far as it is parsed; nil where it did not come as text.
  func rawUserAgent(cuts: inout Int) -> TextView? {
    let slot = slot(.userAgent)
    guard slot.type == UInt8(CSIMDJSON_STRING.rawValue) else { return nil }
    return EventDecoder.kept(text(slot), cuts: &cuts)
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
      kept = EventDecoder.kept(text(slot), cuts: &cuts)
    case CSIMDJSON_ABSENT, CSIMDJSON_NULL: kept = nil
    case CSIMDJSON_BELOW_STRING:
      // A raw user-agent header is parsed later.
      guard withinUserAgent & 1 << field.rawValue != 0,
        self.slot(.userAgent).type == UInt8(CSIMDJSON_STRING.rawValue)
      else { return false }
      kept = nil
    default: return false
    }
    return true
  }

  /// The text that a session keeps of a longer one.
  @inline(__always)
  private static func kept(_ text: TextView, cuts: inout Int) -> TextView {
    if text.count <= Limits.keptTextBytes { return text }
    cuts += 1
    return text.cut(at: Limits.keptTextBytes)
  }
}

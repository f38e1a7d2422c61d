import EventDecoding
import SessionModel
import TestSupport

/// Bytes → event. The first two bytes of an input choose how, the rest is the record's value:
///
/// | bits | what |
/// | --- | --- |
/// | byte 0: 0, 1 | unit of times |
/// | 2 | times without an offset are UTC |
/// | 3 | the record's time serves where the event has none |
/// | 4, 5 | mapping of the fields |
/// | byte 1: 0–2 | the record's time |
/// | 6 and 7 both set | also with blanks behind it, up to the greatest record |
final class EventDecoderCheck {
  private static let choiceBytes = 2
  private static let recordTimes: [Microseconds] = [
    .never, 0, 1_431_857_103_000_000, 253_402_300_799_999_999, 253_402_300_800_000_000, -1, .max,
    .min,
  ]
  private static let other = Array(
    #"{"user_id":"z","ip":"[2001:db8::9]:1","event_time":"2015-05-17T10:05:03Z","url":"/o"}"#.utf8)

  /// By the first byte. Each sees all inputs that choose it.
  private var decoders: [UInt8: DecoderBox] = [:]
  private let plain = DecoderBox(DecodingOptions())

  func run(_ input: UnsafeRawBufferPointer) throws(FuzzFinding) {
    guard input.count >= EventDecoderCheck.choiceBytes else { return }
    let decoder = decoder(for: input[0] & 0x3F)
    let recordTime = EventDecoderCheck.recordTimes[Int(input[1] & 7)]
    let value = Array(input[EventDecoderCheck.choiceBytes...])

    let outcome = decoder.decode(value, recordTime)
    switch outcome {
    case .event(let event):
      try requirePossible(event)
      var again = event
      again.cutTexts = 0
      try require(
        plain.decode(event.asRecord, .never) == .event(again),
        "an event written as a record decodes to another one: \(event)")
    case .rejected(let rejection): try requireField(of: rejection)
    }
    _ = decoder.decode(EventDecoderCheck.other, .never)
    try require(decoder.decode(value, recordTime) == outcome, "it decodes otherwise once more")
    if input[1] >= 0xC0 { try requireSame(outcome, padded: value, decoder, recordTime) }
  }

  private func requirePossible(_ event: DecodedEvent) throws(FuzzFinding) {
    try require((0...Microseconds.latest).contains(event.time), "the time is \(event.time)")
    try require(!event.ip.isEmpty, "the ip is empty")
    for key in [event.userID, event.ip] {
      try require(key.utf8.count <= Limits.keyFieldBytes, "a key of \(key.utf8.count) bytes")
      try require(
        key.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a control character in a key")
    }
    for text in event.texts {
      try require(text != DecodedEvent.brokenText, "a text that is not UTF-8")
      try require(text.utf8.count <= Limits.keptTextBytes, "a text of \(text.utf8.count) bytes")
    }
    let longest = event.texts.count { $0.utf8.count > Limits.keptTextBytes - 4 }
    try require(event.cutTexts <= longest, "\(event.cutTexts) texts count as cut")
  }

  private func requireField(of rejection: Rejection) throws(FuzzFinding) {
    let isWhole: Bool
    switch rejection.reason {
    case .nullValue, .tooLarge, .notJSON, .notObject, .tooDeep, .badText, .numberOutOfRange:
      isWhole = true
    case .wrongType, .missingIP, .missingTime, .badTime, .timeWithoutOffset, .timeOutOfRange,
      .controlCharacterInKey, .keyTooLong, .missingKey:
      isWhole = false
    case .aheadOfRecord, .aheadOfNow, .tooManySessions:
      throw FuzzFinding("the decoder knows no clock and no sessions: \(rejection)")
    }
    try require(
      (rejection.field == nil) == isWhole,
      "\(rejection.reason.code) with field \(rejection.field?.name ?? "none")")
  }

  /// Blanks behind a record change nothing, also where they fill the parser's buffer to its end.
  private func requireSame(
    _ outcome: DecoderBox.Outcome, padded value: [UInt8], _ decoder: DecoderBox,
    _ recordTime: Microseconds
  ) throws(FuzzFinding) {
    let room = Limits.recordBytes - value.count
    guard room > 0 else { return }
    let padded = decoder.decode(value + [UInt8](repeating: 0x20, count: room), recordTime)
    switch (outcome, padded) {
    case (.rejected, .rejected): return
    default: try require(outcome == padded, "blanks behind it change what it decodes to")
    }
  }

  private func decoder(for choice: UInt8) -> DecoderBox {
    if let decoder = decoders[choice] { return decoder }
    var options = DecodingOptions()
    options.timeUnit = EventTimeUnit.allCases[Int(choice & 3)]
    options.assumeUTC = choice & 4 != 0
    options.fallbackToRecordTime = choice & 8 != 0
    options.mapping = EventDecoderCheck.mapping(choice >> 4)
    let decoder = DecoderBox(options)
    decoders[choice] = decoder
    return decoder
  }

  private static func mapping(_ number: UInt8) -> FieldMapping {
    let paths: [(String, String)] =
      switch number {
      case 1: [("ip", "client.address"), ("user_id", "client.id"), ("event_time", "ts")]
      // One path through another, two fields of one value, keys with dots.
      case 2: [("user_id", "ip"), ("url", "page"), ("referrer", "page.from"), ("host", "a\\.b")]
      case 3: [("user_agent", "headers.agent"), ("browser_family", "headers.agent.x.y.z")]
      default: []
      }
    var mapping = FieldMapping()
    for (name, path) in paths {
      do throws(MappingError) {
        try mapping.set(name, path: path)
      } catch {
        preconditionFailure("\(error)")
      }
    }
    return mapping
  }
}

/// A decoder that can be kept in a collection.
final class DecoderBox {
  enum Outcome: Equatable {
    case event(DecodedEvent)
    case rejected(Rejection)
  }

  private var decoder: EventDecoder
  private var event = Event()

  init(_ options: DecodingOptions) { decoder = EventDecoder(options: options) }

  func decode(_ value: [UInt8], _ recordTime: Microseconds) -> Outcome {
    value.withUnsafeBytes { bytes in
      let rejection = decoder.decode(
        bytes, valueLength: bytes.count, recordTime: recordTime, into: &event)
      return rejection.map { .rejected($0) } ?? .event(DecodedEvent(event))
    }
  }
}

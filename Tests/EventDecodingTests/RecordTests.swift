import EventDecoding
import SessionModel
import TestSupport
import Testing

@Suite struct RecordTests {
  @Test func `every mapped field of the web-traffic schema is taken from its place`() {
    let event = decode(
      """
      {"url":"/a?b=\\u00e9\\n","referrer":"http://r/","user_agent":{"family":"Chrome","major":"32",
      "device":{"family":"Mac","major":null},"os":{"family":"Mac OS X"}},"headers":{"host":"h"},
      "host":"example.org","ip":"83.149.9.216","user_id":1640,"academy_id":null,
      "event_time":"2015-05-17T10:05:03.000Z"}
      """
    ).event
    #expect(event?.url == "/a?b=é\n")
    #expect(event?.referrer == "http://r/")
    #expect(event?.host == "example.org")
    #expect(event?.browserFamily == "Chrome")
    #expect(event?.osFamily == "Mac OS X")
    #expect(event?.deviceFamily == "Mac")
    #expect(event?.ip == "83.149.9.216")
    #expect(event?.userID == "1640")
    #expect(event?.time == 1_431_857_103_000_000)
    #expect(event?.cutTexts == 0)
  }

  @Test func `nothing of an event is left in the next one`() {
    var decoder = EventDecoder()
    let full = record(
      #""user_id":7,"url":"/","referrer":"r","host":"h","user_agent":{"family":"f"}"#)
    #expect(decoder.outcome(full).event?.userID == "7")
    let bare = decoder.outcome(record()).event
    #expect(bare?.userID == "")
    #expect([bare?.url, bare?.referrer, bare?.host, bare?.browserFamily] == [nil, nil, nil, nil])
  }

  static let malformed: [(String, RejectReason)] = [
    ("", .notJSON), ("   ", .notJSON), ("\n", .notJSON), ("nonsense", .notJSON), ("{", .notJSON),
    ("{}}", .notJSON), ("{} {}", .notJSON), ("{}x", .notJSON), ("{\"a\":1,}", .notJSON),
    ("{\"a\" 1}", .notJSON), ("{'a':1}", .notJSON), ("{\"a\":tru}", .notJSON),
    ("{\"a\":nul}", .notJSON), ("{\"a\":fals}", .notJSON), ("{\"a\":NaN}", .notJSON),
    ("{\"a\":\"unclosed", .notJSON), ("{\"a\":[1,2}", .notJSON), ("{a:1}", .notJSON),
    ("{\"a\":01}", .notJSON), ("{\"a\":1.}", .notJSON), ("{\"a\":-}", .notJSON),
    ("{\"ip\":1.2.3.4}", .notJSON), ("{\"a\":+1}", .notJSON), ("{\"a\":1e}", .notJSON),
    ("{\"a\":0x10}", .notJSON), ("{\"t\":2015-05-17}", .notJSON), ("// c\n{}", .notJSON),
    ("[]", .notObject), ("1", .notObject), ("\"text\"", .notObject), ("null", .notObject),
    ("true", .notObject), ("[{\"ip\":\"192.0.2.1\"}]", .notObject),
    ("{\"a\":1e999}", .numberOutOfRange), ("{\"a\":-1e999}", .numberOutOfRange),
    ("{\"a\":18446744073709551616}", .numberOutOfRange),
    ("{\"a\":-9223372036854775809}", .numberOutOfRange),
    ("{\"s\":\"1.2.3\",\"a\":123456789012345678901234567890}", .numberOutOfRange),
    ("{\"a\":\"\\x\"}", .badText), ("{\"a\":\"\\u12g4\"}", .badText),
    ("{\"a\":\"\\ud800\"}", .badText), ("{\"a\":\"\\udc00\"}", .badText),
    ("{\"a\":\"\\ud800\\u0041\"}", .badText), ("{\"a\":\"tab\there\"}", .badText),
    ("{\"a\":\"line\nbreak\"}", .badText),
  ]

  @Test(arguments: malformed)
  func `a malformed record is rejected with its reason`(value: String, reason: RejectReason) {
    #expect(decode(value) == .rejected(reason))
  }

  static let brokenUTF8: [[UInt8]] = [
    [0xFF], [0xC3], [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
    [0xE2, 0x82],
  ]

  @Test(arguments: brokenUTF8, [true, false])
  func `bytes that are not UTF-8 are rejected also where nothing is mapped`(
    bytes: [UInt8], mapped: Bool
  ) {
    let name = mapped ? "url" : "other"
    let value = Array("{\"\(name)\":\"".utf8) + bytes + Array("\",\"b\":1}".utf8)
    var decoder = EventDecoder()
    #expect(decoder.outcome(value) == .rejected(.badText))
  }

  @Test func `a null value is told from an empty one`() {
    var decoder = EventDecoder()
    var event = Event()
    #expect(
      decoder.decode(nil, valueLength: 0, recordTime: 0, into: &event) == Rejection(.nullValue))
    let empty = UnsafeRawBufferPointer(start: nil, count: 0)
    #expect(
      decoder.decode(empty, valueLength: 0, recordTime: 0, into: &event) == Rejection(.notJSON))
  }

  @Test func `a record of 1 MiB is decoded and one byte more is too large`() {
    let start = record().dropLast() + ",\"pad\":\""
    let fill = String(repeating: "x", count: Limits.recordBytes - start.utf8.count - 2)
    #expect(decode(start + fill + "\"}").event?.ip == "192.0.2.1")
    #expect(decode(start + fill + "x\"}") == .rejected(.tooLarge))
  }

  @Test func `a value too large may be given in part`() {
    var decoder = EventDecoder()
    var event = Event()
    let rejection = [UInt8]("{\"ip\":".utf8).withUnsafeBytes {
      decoder.decode(
        $0, valueLength: Limits.recordBytes + 1, recordTime: .never, into: &event)
    }
    #expect(rejection == Rejection(.tooLarge))
  }

  static let containers = [("[", "]"), ("{\"a\":", "}")]

  @Test(arguments: containers)
  func `nesting is allowed to the limit and rejected above it`(open: String, close: String) {
    func nested(_ levels: Int) -> String {
      // The record itself is the first level.
      let inner = levels - 1
      return record(
        "\"deep\":" + String(repeating: open, count: inner) + "1"
          + String(repeating: close, count: inner))
    }
    #expect(decode(nested(Limits.jsonDepth)).event != nil)
    #expect(decode(nested(Limits.jsonDepth + 1)) == .rejected(.tooDeep))
    #expect(decode(nested(10_000)) == .rejected(.tooDeep))
    #expect(decode(nested(Limits.jsonDepth)).event != nil)
  }

  @Test func `a byte order mark before the object is skipped`() {
    #expect(decode("\u{FEFF}" + record()).event?.ip == "192.0.2.1")
    #expect(decode("\u{FEFF}") == .rejected(.notJSON))
    #expect(decode("\u{FEFF}\u{FEFF}" + record()) == .rejected(.notJSON))
  }

  @Test func `white space around the object and its members is allowed`() {
    #expect(decode(" \r\n\t{ \"ip\" : \"192.0.2.1\" ,\n\"event_time\" : 1 }\r\n").event != nil)
  }

  static let duplicates: [(String, String?)] = [
    (#""url":"/1","url":"/2""#, "/2"), (#""url":"/1","url":null"#, nil),
    (#""url":5,"url":"/2""#, "/2"), (#""u\u0072l":"/1""#, "/1"),
  ]

  @Test(arguments: duplicates)
  func `of a key that is there twice the last one counts`(members: String, url: String?) {
    let outcome = decode(record(members))
    #expect(outcome.event != nil)
    #expect(outcome.event?.url == url)
  }

  @Test func `a second object replaces the whole first one`() {
    let outcome = decode(
      record(#""user_agent":{"family":"A","os":{"family":"B"}},"user_agent":{"os":{}}"#))
    #expect(outcome.event != nil)
    #expect(outcome.event?.browserFamily == nil)
    #expect(outcome.event?.osFamily == nil)
    let broken = decode(record(#""user_agent":{"family":"A"},"user_agent":7"#))
    #expect(broken == .rejected(.wrongType, .userAgent))
  }
}

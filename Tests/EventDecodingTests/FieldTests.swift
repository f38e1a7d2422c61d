import EventDecoding
import SessionModel
import TestSupport
import Testing

@Suite struct FieldTests {
  static let userIDs: [(String, String)] = [
    ("42", "42"), ("\"42\"", "42"), ("\"\"", ""), ("null", ""), ("0", "0"), ("-5", "-5"),
    ("9223372036854775807", "9223372036854775807"),
    ("-9223372036854775808", "-9223372036854775808"),
    ("9223372036854775808", "9223372036854775808"),
    ("18446744073709551615", "18446744073709551615"), ("\"042\"", "042"), ("\" a \"", " a "),
    ("\"Zoë\"", "Zoë"), ("\"a\\/b\"", "a/b"),
  ]

  @Test(arguments: userIDs)
  func `a user id is an integer or a text`(value: String, userID: String) {
    #expect(decode(record(#""user_id":\#(value)"#)).event?.userID == userID)
  }

  @Test(arguments: ["42.0", "1e3", "true", "false", "{}", "[]", "[1]"])
  func `a user id of another type is rejected`(value: String) {
    #expect(decode(record(#""user_id":\#(value)"#)) == .rejected(.wrongType, .userID))
  }

  @Test(arguments: ["1", "1.5", "true", "{}", "[\"192.0.2.1\"]"])
  func `an ip of another type than text is rejected`(value: String) {
    #expect(decode(record(ip: value)) == .rejected(.wrongType, .ip))
  }

  @Test(arguments: [nil, "null", "\"\""] as [String?])
  func `a record without an ip is rejected`(value: String?) {
    #expect(decode(record(ip: value)) == .rejected(.missingIP, .ip))
  }

  static let controls = ["\\u0000", "\\n", "\\u001f", "\\u007f", "\u{7F}"]

  @Test(arguments: controls)
  func `control characters in key fields are rejected`(control: String) {
    #expect(
      decode(record(#""user_id":"a\#(control)""#)) == .rejected(.controlCharacterInKey, .userID))
    #expect(decode(record(ip: #""\#(control)""#)) == .rejected(.controlCharacterInKey, .ip))
  }

  @Test func `what is no control character may stand in a key`() {
    #expect(decode(record(ip: #""\u0020\u0080~""#)).event?.ip == " \u{80}~")
  }

  @Test func `a key field is taken up to the limit and never cut`() {
    let longest = String(repeating: "k", count: Limits.keyFieldBytes)
    #expect(decode(record(#""user_id":"\#(longest)""#)).event?.userID == longest)
    #expect(decode(record(#""user_id":"\#(longest)k""#)) == .rejected(.keyTooLong, .userID))
    #expect(decode(record(ip: "\"\(longest)\"")).event?.ip == longest)
    #expect(decode(record(ip: "\"\(longest)k\"")) == .rejected(.keyTooLong, .ip))
  }

  static let texts: [(String, EventField, KeyPath<DecodedEvent, String?> & Sendable)] = [
    (#""url":#"#, .url, \.url), (#""referrer":#"#, .referrer, \.referrer),
    (#""host":#"#, .host, \.host),
    (#""user_agent":{"family":#}"#, .browserFamily, \.browserFamily),
    (#""user_agent":{"os":{"family":#}}"#, .osFamily, \.osFamily),
    (#""user_agent":{"device":{"family":#}}"#, .deviceFamily, \.deviceFamily),
  ]

  private func members(_ template: String, _ value: String) -> String {
    record(
      String(template.split(separator: "#")[0]) + value + template.drop { $0 != "#" }.dropFirst())
  }

  @Test(arguments: texts)
  func `a kept text may be absent, null or empty`(
    template: String, field: EventField, path: KeyPath<DecodedEvent, String?> & Sendable
  ) {
    for (value, kept) in [("null", nil), ("\"\"", ""), ("\"x\\u0000\"", "x\0")] {
      let outcome = decode(members(template, value))
      #expect(outcome.event != nil)
      #expect(outcome.event?[keyPath: path] == kept)
    }
  }

  @Test(arguments: texts)
  func `a kept text of another type is rejected`(
    template: String, field: EventField, path: KeyPath<DecodedEvent, String?> & Sendable
  ) {
    for value in ["1", "-1.5", "18446744073709551615", "true", "{}", "[]"] {
      #expect(decode(members(template, value)) == .rejected(.wrongType, field))
    }
  }

  @Test(arguments: texts)
  func `a kept text is cut at the limit and counted`(
    template: String, field: EventField, path: KeyPath<DecodedEvent, String?> & Sendable
  ) {
    let longest = String(repeating: "x", count: Limits.keptTextBytes)
    let whole = decode(members(template, "\"\(longest)\"")).event
    #expect(whole?[keyPath: path] == longest)
    #expect(whole?.cutTexts == 0)
    let cut = decode(members(template, "\"\(longest)y\"")).event
    #expect(cut?[keyPath: path] == longest)
    #expect(cut?.cutTexts == 1)
  }

  @Test(arguments: ["é", "€", "😀"])
  func `a text is cut between two code points`(character: String) {
    let width = character.utf8.count
    for shift in 0..<width {
      let head = String(repeating: "x", count: shift)
      let long = head + String(repeating: character, count: Limits.keptTextBytes / width + 1)
      let url = decode(record(#""url":"\#(long)""#)).event?.url
      let whole = (Limits.keptTextBytes - shift) / width
      #expect(url == head + String(repeating: character, count: whole))
    }
  }

  @Test func `every cut text is counted`() {
    let long = String(repeating: "x", count: Limits.keptTextBytes + 1)
    let event = decode(record(#""url":"\#(long)","host":"\#(long)","referrer":"r""#)).event
    #expect(event?.cutTexts == 2)
  }

  @Test(arguments: ["\"Mozilla/5.0\"", "\"\"", "null", "{}", "{\"os\":null,\"device\":null}"])
  func `a user agent may be a raw header, null or incomplete`(value: String) {
    let event = decode(record(#""user_agent":\#(value)"#)).event
    #expect(event != nil)
    #expect([event?.browserFamily, event?.osFamily, event?.deviceFamily] == [nil, nil, nil])
  }

  static let brokenAgents: [(String, EventField)] = [
    ("7", .userAgent), ("1.5", .userAgent), ("true", .userAgent), ("[]", .userAgent),
    ("{\"os\":\"Linux\"}", .osFamily), ("{\"os\":7}", .osFamily),
    ("{\"device\":[]}", .deviceFamily), ("{\"device\":\"Mac\"}", .deviceFamily),
  ]

  @Test(arguments: brokenAgents)
  func `a user agent of another shape is rejected`(value: String, field: EventField) {
    #expect(decode(record(#""user_agent":\#(value)"#)) == .rejected(.wrongType, field))
  }

  @Test func `of several faults the one of the first field is reported`() {
    let outcome = decode(#"{"event_time":"never","url":1,"user_id":true}"#)
    #expect(outcome == .rejected(.wrongType, .userID))
    #expect(decode(#"{"event_time":"never","url":1}"#) == .rejected(.missingIP, .ip))
    #expect(decode(record(time: "\"never\"", #""url":1"#)) == .rejected(.badTime, .eventTime))
  }
}

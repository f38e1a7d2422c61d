import EventDecoding
import SessionModel
import TestSupport
import Testing

@Suite struct KeyTests {
  private func decode(_ value: String, key fields: [String]) throws -> Outcome {
    var options = DecodingOptions()
    options.key = KeyLayout(fields)
    options.mapping = FieldMapping(key: options.key)
    for name in options.key.ownNames { try options.mapping.set(name, path: "ids.\(name)") }
    var decoder = EventDecoder(options: options)
    return decoder.outcome(value)
  }

  private static let whole =
    #"{"user_id":7,"ip":"::FFFF:192.0.2.1","ids":{"a":"x","b":-5},"event_time":1}"#

  @Test(arguments: [
    (["user_id", "ip"], "7␟192.0.2.1"), (["ip", "user_id"], "192.0.2.1␟7"), (["ip"], "192.0.2.1"),
    (["user_id"], "7"), (["a"], "x"), (["b", "a"], "-5␟x"), (["a", "ip", "b"], "x␟192.0.2.1␟-5"),
  ])
  func `the key is its fields in order, joined`(fields: [String], expected: String) throws {
    let event = try decode(KeyTests.whole, key: fields).event
    #expect(event?.key == expected.replacing("␟", with: "\u{1F}"))
    #expect(event?.userID == "7")
    #expect(event?.ip == "192.0.2.1")
  }

  @Test func `only beside another key field may the user be missing`() throws {
    let record = #"{"ip":"192.0.2.1","ids":{"a":"x"},"event_time":1}"#
    #expect(try decode(record, key: ["user_id", "ip"]).event?.key == "\u{1F}192.0.2.1")
    #expect(try decode(record, key: ["a", "user_id"]).event?.key == "x\u{1F}")
    #expect(try decode(record, key: ["user_id"]) == .rejected(.missingKey, .userID))
  }

  @Test(arguments: ["null", #""""#, "{}"])
  func `a key field of one's own must be there`(value: String) throws {
    let record = #"{"ip":"192.0.2.1","ids":{"b":"x","a":\#(value)},"event_time":1}"#
    let reason: RejectReason = value == "{}" ? .wrongType : .missingKey
    #expect(try decode(record, key: ["b", "a"]) == .rejected(reason, .ownKey2))
    #expect(try decode(#"{"event_time":1}"#, key: ["a"]) == .rejected(.missingKey, .ownKey1))
  }

  @Test func `a key field of one's own is judged as the others are`() throws {
    let long = String(repeating: "k", count: Limits.keyFieldBytes + 1)
    func record(_ value: String) -> String { #"{"ids":{"a":"\#(value)"},"event_time":1}"# }
    #expect(try decode(record(long), key: ["a"]) == .rejected(.keyTooLong, .ownKey1))
    #expect(
      try decode(record("x\\u001f"), key: ["a"]) == .rejected(.controlCharacterInKey, .ownKey1))
    let longest = String(long.dropLast())
    #expect(try decode(record(longest), key: ["a"]).event?.key == longest)
  }

  @Test func `an ip that is no key field may be missing, of any form, and is cut`() throws {
    func record(_ ip: String) -> String { #"{"ip":\#(ip),"ids":{"a":"x"},"event_time":1}"# }
    #expect(try decode(record("null"), key: ["a"]).event?.ip == "")
    #expect(try decode(record(#""a\n""#), key: ["a"]).event?.ip == "a\n")
    #expect(try decode(record("5"), key: ["a"]) == .rejected(.wrongType, .ip))
    let long = String(repeating: "1", count: Limits.keptTextBytes + 1)
    let event = try decode(record("\"\(long)\""), key: ["a"]).event
    #expect(event?.ip == String(long.dropLast()))
    #expect(event?.cutTexts == 1)
  }
}

import EventDecoding
import SessionModel
import TestSupport
import Testing

@Suite struct FieldMappingTests {
  private func decode(_ value: String, mapping: [(String, String)]) throws -> Outcome {
    var options = DecodingOptions()
    for (name, path) in mapping { try options.mapping.set(name, path: path) }
    var decoder = EventDecoder(options: options)
    return decoder.outcome(value)
  }

  @Test(arguments: EventField.named)
  func `every field can be mapped`(field: EventField) throws {
    var mapping = FieldMapping()
    try mapping.set(field.name, path: "a.b")
    #expect(mapping.path(of: field) == ["a", "b"])
    let parts: [EventField] = [.browserFamily, .osFamily, .deviceFamily]
    for other in EventField.named where other != field {
      let follows = field == .userAgent && parts.contains(other)
      #expect((mapping.path(of: other) == FieldMapping().path(of: other)) == !follows)
    }
  }

  @Test(arguments: [["a"], ["a", "b"], ["a.b", "c\\"], ["\\.", ".", "é 😀"]])
  func `a path's text leads to the same keys`(path: [String]) throws {
    var mapping = FieldMapping()
    try mapping.set("url", path: FieldMapping.text(of: path))
    #expect(mapping.path(of: .url) == path)
  }

  @Test func `mapped values are found along their paths`() throws {
    let outcome = try decode(
      #"{"client":{"address":"::1","id":5},"at":1,"page":{"a.b":{"u":"/x"}},"ip":"192.0.2.9"}"#,
      mapping: [
        ("ip", "client.address"), ("user_id", "client.id"), ("event_time", "at"),
        ("url", #"page.a\.b.u"#),
      ])
    #expect(outcome.event?.ip == "::1")
    #expect(outcome.event?.userID == "5")
    #expect(outcome.event?.time == 1_000_000)
    #expect(outcome.event?.url == "/x")
  }

  @Test func `two fields may have one path`() throws {
    let outcome = try decode(record(#""page":"/x""#), mapping: [("url", "page"), ("host", "page")])
    #expect(outcome.event?.url == "/x")
    #expect(outcome.event?.host == "/x")
  }

  @Test func `parts of the user agent move with it`() throws {
    let outcome = try decode(
      record(#""ua":{"family":"F","os":{"family":"O"},"dev":"D"}"#),
      mapping: [("user_agent", "ua"), ("device_family", "ua.dev")])
    #expect(outcome.event?.browserFamily == "F")
    #expect(outcome.event?.osFamily == "O")
    #expect(outcome.event?.deviceFamily == "D")
  }

  @Test func `only a user agent may be a text where its parts are sought`() throws {
    let raw = record(#""browser":"b","user_agent":"Mozilla""#)
    #expect(try decode(raw, mapping: []).event != nil)
    #expect(
      try decode(raw, mapping: [("browser_family", "browser.name")])
        == .rejected(.wrongType, .browserFamily))
  }

  static let below: [(String, Outcome)] = [
    (#"{"client":null,"event_time":1}"#, .rejected(.missingIP, .ip)),
    (#"{"event_time":1}"#, .rejected(.missingIP, .ip)),
    (#"{"client":{},"event_time":1}"#, .rejected(.missingIP, .ip)),
    (#"{"client":"192.0.2.1","event_time":1}"#, .rejected(.wrongType, .ip)),
    (#"{"client":[{"ip":"192.0.2.1"}],"event_time":1}"#, .rejected(.wrongType, .ip)),
    (#"{"client":5,"event_time":1}"#, .rejected(.wrongType, .ip)),
  ]

  @Test(arguments: below)
  func `a path that leads below something else than an object is a wrong type`(
    value: String, expected: Outcome
  ) throws {
    #expect(try decode(value, mapping: [("ip", "client.ip")]) == expected)
  }

  static let paths: [(String, [String])] = [
    ("a", ["a"]), ("a.b.c", ["a", "b", "c"]), (#"a\.b"#, ["a.b"]), (#"a\\.b"#, [#"a\"#, "b"]),
    (#"\."#, ["."]), ("Ä.ß", ["Ä", "ß"]), (" a ", [" a "]),
  ]

  @Test(arguments: paths)
  func `a path is split at dots that are not escaped`(path: String, keys: [String]) throws {
    var mapping = FieldMapping()
    try mapping.set("url", path: path)
    #expect(mapping.path(of: .url) == keys)
  }

  static let faults: [(String, String, MappingError)] = [
    ("uri", "a", .unknownField("uri")), ("url", "", .emptyKey("")), ("url", ".a", .emptyKey(".a")),
    ("url", "a..b", .emptyKey("a..b")), ("url", "a.", .emptyKey("a.")),
    ("url", #"a\b"#, .badEscape(#"a\b"#)), ("url", #"a\"#, .badEscape(#"a\"#)),
  ]

  @Test(arguments: faults)
  func `a mapping that cannot be is refused and changes nothing`(
    name: String, path: String, error: MappingError
  ) {
    var mapping = FieldMapping()
    #expect(throws: error) { try mapping.set(name, path: path) }
    #expect(mapping == FieldMapping())
    #expect(error.description.contains(name == "url" ? path : name))
  }
}

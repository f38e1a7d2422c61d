import EventDecoding
import SessionModel
import TestSupport
import Testing

@Suite struct EventTimeTests {
  private func time(_ value: String, _ configure: (inout DecodingOptions) -> Void = { _ in })
    -> Outcome
  {
    decode(record(time: value), configure: configure)
  }

  /// 2015-05-17T10:05:03Z
  private static let base: Microseconds = 1_431_857_103_000_000

  static let timestamps: [(String, Microseconds)] = [
    ("2015-05-17T10:05:03Z", base), ("2015-05-17t10:05:03z", base), ("2015-05-17 10:05:03Z", base),
    ("2015-05-17T10:05:03.000Z", base), ("2015-05-17T12:05:03+02:00", base),
    ("2015-05-17T12:05:03+0200", base), ("2015-05-17T12:05:03+02", base),
    ("2015-05-17T04:35:03-05:30", base), ("2015-05-17T10:05:03-00:00", base),
    ("2015-05-18T00:05:03+14:00", base), ("2015-05-16T22:05:03-12:00", base),
    ("2015-05-17T10:05:03.1Z", base + 100_000), ("2015-05-17T10:05:03,25Z", base + 250_000),
    ("2015-05-17T10:05:03.123456Z", base + 123_456),
    ("2015-05-17T10:05:03.1234567Z", base + 123_456),
    ("2015-05-17T10:05:03.999999999999Z", base + 999_999),
    ("2015-05-17T10:05:03.0000009+00:00", base), ("2015-05-17T10:05Z", base - 3_000_000),
    ("2015-05-17T12:05+02:00", base - 3_000_000),
    ("2015-05-16T24:00:00Z", 1_431_820_800_000_000),
    ("2015-05-17T00:00:00Z", 1_431_820_800_000_000),
    ("2015-05-16T24:00Z", 1_431_820_800_000_000),
    ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
    ("2017-01-01T08:59:60+09:00", 1_483_228_800_000_000),
    ("2016-12-31T23:59:60.5Z", 1_483_228_800_500_000),
    ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000001Z", 1),
    ("2000-02-29T00:00:00Z", 951_782_400_000_000), ("2016-02-29T00:00:00Z", 1_456_704_000_000_000),
    ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
  ]

  @Test(arguments: timestamps)
  func `a timestamp with its offset is a point in time`(text: String, expected: Microseconds) {
    #expect(time("\"\(text)\"").event?.time == expected)
  }

  @Test(arguments: [
    "", "yesterday", "2015-05-17", "2015-05-17Z", "2015-05-17T", "2015-05-17T10Z",
    "2015-05-17T10:05:03+2", "2015-05-17T10:05:03+02:0", "2015-05-17T10:05:03+02:",
    "2015-05-17T10:05:03+24:00", "2015-05-17T10:05:03+02:60", "2015-05-17T10:05:03 +02:00",
    "2015-05-17T10:05:03Zx", "2015-05-17T10:05:03.Z", "2015-05-17T10:05:03.5.5Z",
    "2015-05-17T24:00:01Z", "2015-05-17T24:01:00Z", "2015-05-17T24:00:00.1Z",
    "2015-05-17T25:00:00Z", "2015-05-17T10:60:00Z", "2015-05-17T10:05:61Z",
    "2015-05-17T10:05:60Z", "2016-12-31T23:59:60+09:00", "2015-02-30T00:00:00Z",
    "2015-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2015-04-31T00:00:00Z", "2015-13-01T00:00:00Z",
    "2015-00-10T00:00:00Z", "2015-01-00T00:00:00Z", "2015-1-1T00:00:00Z", "15-05-17T10:05:03Z",
    "20150517T100503Z", "2015-W20-7T10:05:03Z", "2015-137T10:05:03Z", "2015/05/17 10:05:03Z",
    " 2015-05-17T10:05:03Z", "2015-05-17T10:05:03Z ", "17/May/2015:10:05:03 +0000",
    "+1700000000", "1.7e9", "1700000000.", ".5", "0x10", "1 700", "-", "--1", "1700000000s",
    "２０１５-05-17T10:05:03Z", "2015-05-17T10:05:03+", "2015-05-17T1a:05:03Z",
    "2015-05-17T10:05:03UTC",
  ])
  func `a text that is no timestamp is rejected`(text: String) {
    #expect(time("\"\(text)\"") == .rejected(.badTime, .eventTime))
    #expect(time("\"\(text)\"") { $0.assumeUTC = true } == .rejected(.badTime, .eventTime))
  }

  @Test(arguments: ["2015-05-17T10:05:03", "2015-05-17 10:05:03.000", "2015-05-17T10:05:03,000000"])
  func `a time without an offset counts only where UTC is assumed`(text: String) {
    #expect(time("\"\(text)\"") == .rejected(.timeWithoutOffset, .eventTime))
    #expect(time("\"\(text)\"") { $0.assumeUTC = true }.event?.time == Self.base)
  }

  @Test func `an offset counts also where UTC is assumed`() {
    #expect(
      time("\"2015-05-17T12:05:03+02:00\"") { $0.assumeUTC = true }.event?.time == Self.base)
  }

  static let numbers: [(String, Microseconds)] = [
    ("1700000000", 1_700_000_000_000_000), ("1700000000123", 1_700_000_000_123_000),
    ("1700000000123456", 1_700_000_000_123_456), ("0", 0), ("1", 1_000_000),
    ("99999999999", 99_999_999_999_000_000), ("100000000000", 100_000_000_000_000),
    ("99999999999999", 99_999_999_999_999_000), ("100000000000000", 100_000_000_000_000),
    ("99999999999999999", 99_999_999_999_999_999), ("1700000000.5", 1_700_000_000_500_000),
    ("1700000000.123456", 1_700_000_000_123_456), ("1700000000.1234565", 1_700_000_000_123_456),
    ("1700000000.0", 1_700_000_000_000_000), ("1700000000123.5", 1_700_000_000_123_500),
    ("1700000000123.4567", 1_700_000_000_123_456), ("1700000000123456.75", 1_700_000_000_123_456),
    ("0.000001", 1), ("0.0000009", 0), ("4102444799.999999", 4_102_444_799_999_999),
  ]

  @Test(arguments: numbers)
  func `the unit of a number is told by its magnitude, as JSON number and as text`(
    number: String, expected: Microseconds
  ) {
    #expect(time(number).event?.time == expected)
    #expect(time("\"\(number)\"").event?.time == expected)
  }

  @Test func `a JSON number may have an exponent`() {
    #expect(time("1.7e9").event?.time == 1_700_000_000_000_000)
    #expect(time("-0.0").event?.time == 0)
  }

  @Test(arguments: [
    "-1", "-0.5", "100000000000000000", "9223372036854775807", "9223372036854775808",
    "18446744073709551615", "1e17", "1e18", "1e300", "-1e300",
  ])
  func `a number that no unit explains is out of range`(number: String) {
    #expect(time(number) == .rejected(.timeOutOfRange, .eventTime))
    guard !number.contains("e") else { return }
    #expect(time("\"\(number)\"") == .rejected(.timeOutOfRange, .eventTime))
  }

  @Test(arguments: [
    "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00+00:01", "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-00:01", "99999999999999999999999999",
  ])
  func `a text outside 1970 to 9999 is out of range`(text: String) {
    #expect(time("\"\(text)\"") == .rejected(.timeOutOfRange, .eventTime))
  }

  static let units: [(EventTimeUnit, String, Microseconds?)] = [
    (.seconds, "1", 1_000_000), (.milliseconds, "1", 1_000), (.microseconds, "1", 1),
    (.seconds, "0.5", 500_000), (.milliseconds, "0.5", 500), (.microseconds, "0.5", 0),
    (.seconds, "253402300799", 253_402_300_799_000_000), (.seconds, "253402300800", nil),
    (.milliseconds, "253402300799999", 253_402_300_799_999_000),
    (.microseconds, "253402300799999999", 253_402_300_799_999_999),
    (.microseconds, "253402300800000000", nil), (.seconds, "9223372036854775807", nil),
    (.milliseconds, "1700000000", 1_700_000_000_000), (.seconds, "1700000000000", nil),
    (.seconds, "900000000000.5", nil), (.milliseconds, "18446744073709551", nil),
  ]

  @Test(arguments: units)
  func `a named unit holds for every magnitude`(
    unit: EventTimeUnit, number: String, expected: Microseconds?
  ) {
    for value in [number, "\"\(number)\""] {
      let outcome = time(value) { $0.timeUnit = unit }
      #expect(outcome.event?.time == expected)
      if expected == nil { #expect(outcome == .rejected(.timeOutOfRange, .eventTime)) }
    }
  }

  @Test func `every fraction of six digits gives exactly its microseconds`() {
    var decoder = EventDecoder()
    var random = RandomNumbers(seed: 7)
    for _ in 0..<5_000 {
      let seconds = random.next() % 4_000_000_000
      let micros = random.next() % 1_000_000
      let digits = String(String(1_000_000 + micros).dropFirst())
      let outcome = decoder.outcome(record(time: "\(seconds).\(digits)"))
      #expect(outcome.event?.time == Microseconds(seconds * 1_000_000 + micros))
    }
  }

  @Test(arguments: [nil, "null"] as [String?])
  func `the record's time serves where the event has none, if that is wished`(value: String?) {
    let missing = Outcome.rejected(.missingTime, .eventTime)
    let without = record(time: value)
    #expect(decode(without, recordTime: 5) == missing)
    #expect(decode(without, recordTime: 5) { $0.fallbackToRecordTime = true }.event?.time == 5)
    #expect(decode(without) { $0.fallbackToRecordTime = true } == missing)
    #expect(
      decode(without, recordTime: -1) { $0.fallbackToRecordTime = true }
        == .rejected(.timeOutOfRange, .eventTime))
  }

  @Test func `the record's time replaces no time that is there, be it broken`() {
    let broken = decode(record(time: "\"x\""), recordTime: 5) { $0.fallbackToRecordTime = true }
    #expect(broken == .rejected(.badTime, .eventTime))
    let there = decode(record(time: "1"), recordTime: 5) { $0.fallbackToRecordTime = true }
    #expect(there.event?.time == 1_000_000)
  }

  @Test(arguments: ["true", "{}", "[]", "[1]"])
  func `a time of another type is rejected`(value: String) {
    #expect(time(value) == .rejected(.wrongType, .eventTime))
  }
}

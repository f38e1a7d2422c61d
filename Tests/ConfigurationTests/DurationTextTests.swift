import Configuration
import SessionModel
import Testing

@Test(
  arguments: [
    ("30s", 30_000_000), ("5m", 300_000_000), ("1h", 3_600_000_000), ("1d", 86_400_000_000),
    ("10ms", 10_000), ("250us", 250), ("1h30m", 5_400_000_000), ("1d1us", 86_400_000_001),
    ("1m500ms", 60_500_000), ("0", 0), ("0s", 0), ("007s", 7_000_000), ("90m", 5_400_000_000),
    ("36500d", 3_153_600_000_000_000),
  ] as [(String, Microseconds)])
func `a duration is read in µs`(text: String, expected: Microseconds) throws {
  #expect(try DurationText.parse(text) == expected)
}

@Test(arguments: [
  ("", DurationError.notADuration), ("s", .notADuration), ("-5s", .notADuration),
  ("5 m", .notADuration), ("1.5h", .notADuration), ("5m ", .notADuration), ("+5s", .notADuration),
  ("5", .missingUnit), ("1h30", .missingUnit), ("00", .missingUnit), ("5x", .unknownUnit),
  ("5min", .unknownUnit), ("1m1m", .unitsOutOfOrder), ("30m1h", .unitsOutOfOrder),
  ("36501d", .tooLong), ("36500d1us", .tooLong), ("99999999999999999999s", .tooLong),
])
func `what is no duration is refused with the reason`(text: String, expected: DurationError) {
  #expect(throws: expected) { try DurationText.parse(text) }
}

@Test(
  arguments: [
    (0, "0s"), (1, "1us"), (300_000_000, "5m"), (5_400_000_000, "1h30m"),
    (90_061_001_001, "1d1h1m1s1ms1us"),
  ] as [(Microseconds, String)])
func `a duration is written so that it reads back the same`(
  span: Microseconds, expected: String
) throws {
  #expect(DurationText.text(span) == expected)
  #expect(try DurationText.parse(expected) == span)
}

@Test(
  arguments: [
    ("0", 0), ("1700000000123", 1_700_000_000_123_000), ("1970-01-01T00:00:00Z", 0),
    ("2015-05-17T10:05:03Z", 1_431_857_103_000_000), ("2015-05-17t10:05Z", 1_431_857_100_000_000),
    ("2015-05-17T12:05:03.25+02:00", 1_431_857_103_250_000),
    ("2015-05-17 04:35:03.0000019-0530", 1_431_857_103_000_001),
    ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
  ] as [(String, Microseconds)])
func `a point in time is read in µs`(text: String, expected: Microseconds) {
  #expect(TimestampText.parse(text) == expected)
}

@Test(arguments: [
  "", "yesterday", "2015-05-17", "2015-05-17T10:05:03", "2015-02-29T00:00:00Z",
  "2015-13-01T00:00:00Z", "2015-05-17T24:00:00Z", "2015-05-17T10:60:00Z", "2015-05-17T10:05:60Z",
  "2015-05-17T10:05:03.Z", "2015-05-17T10:05:03Zx", "1969-12-31T23:59:59Z", "-5",
  "99999999999999999", "1970-01-01T00:00:00+01:00", "253402300800000",
  "9999-12-31T23:59:59-00:01",
])
func `what is no point in time is refused`(text: String) {
  #expect(TimestampText.parse(text) == nil)
}

import EventSources
import SessionModel
import Testing

/// Producers set a record's timestamp as they like.
@Suite struct TimestampTests {
  @Test(arguments: [
    (Int64(0), Microseconds(0)), (1_431_857_103_000, 1_431_857_103_000_000),
    (253_402_300_799_999, 253_402_300_799_999_000),
    (-1, .never), (.min, .never),
  ])
  func `a record's time is its timestamp in µs, or none`(
    milliseconds: Int64, time: Microseconds
  ) {
    #expect(SourceRecord.time(ofTimestamp: milliseconds) == time)
  }

  /// The first one times 1,000 is nearly the greatest integer, the others are beyond it.
  @Test(arguments: [9_223_372_036_854_775, 9_223_372_036_854_776, 253_402_300_800_000, Int64.max])
  func `a timestamp behind the year 9999 lies behind every event and cannot overflow`(
    milliseconds: Int64
  ) {
    let time = SourceRecord.time(ofTimestamp: milliseconds)
    #expect(time == .latest + 1)
    let greatestSkew = 36_500 * Microseconds.perDay
    #expect(!time.addingReportingOverflow(greatestSkew).overflow)
  }
}

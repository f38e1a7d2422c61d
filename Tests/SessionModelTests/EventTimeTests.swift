import SessionModel
import Testing

@Suite struct EventTimeTests {
  /// The day after, by the rules of the calendar.
  private func next(_ date: CivilDate) -> CivilDate {
    let isLeap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0)
    let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    if date.day < lengths[date.month - 1] {
      return CivilDate(year: date.year, month: date.month, day: date.day + 1)
    }
    return date.month < 12
      ? CivilDate(year: date.year, month: date.month + 1, day: 1)
      : CivilDate(year: date.year + 1, month: 1, day: 1)
  }

  @Test func `dates and days since 1970 agree with the calendar from year -400 to 10000`() {
    var date = CivilDate(year: -400, month: 1, day: 1)
    // From there to 2000 the calendar goes round six times: 400 years are 146,097 days.
    var days = daysFrom1970To2000 - 6 * 146_097
    var wrong: [CivilDate] = []
    while date.year <= 10_000 {
      if date.daysSince1970 != days || CivilDate(daysSince1970: days) != date {
        wrong.append(date)
      }
      date = next(date)
      days += 1
    }
    #expect(wrong.isEmpty, "first: \(String(describing: wrong.first))")
    #expect(date == CivilDate(year: 10_001, month: 1, day: 1))
  }

  /// 30 years with the leap days of 1972, 1976 … 1996.
  private let daysFrom1970To2000 = 30 * 365 + 7

  static let timestamps: [(Microseconds, String)] = [
    (0, "1970-01-01T00:00:00.000000Z"), (1, "1970-01-01T00:00:00.000001Z"),
    (1_431_857_103_000_000, "2015-05-17T10:05:03.000000Z"),
    (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
    (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"),
    (253_402_300_799_123_456, "9999-12-31T23:59:59.123456Z"),
    (253_402_300_800_000_000, "10000-01-01T00:00:00.000000Z"),
    (-1, "1969-12-31T23:59:59.999999Z"), (-60_000_000, "1969-12-31T23:59:00.000000Z"),
    (-86_400_000_000, "1969-12-31T00:00:00.000000Z"),
    (-86_400_000_001, "1969-12-30T23:59:59.999999Z"),
  ]

  @Test(arguments: timestamps)
  func `a time is written as ISO-8601 in UTC with microseconds`(time: Microseconds, text: String) {
    #expect(TimeText.timestamp(time) == text)
    #expect(TimeText.date(time) == String(text.prefix { $0 != "T" }))
    var bytes = Array("x".utf8)
    TimeText.appendTimestamp(time, to: &bytes)
    #expect(bytes == Array("x".utf8) + Array(text.utf8))
  }

  @Test(arguments: [Microseconds.min, .max])
  func `the least and the greatest integer have a text, too`(time: Microseconds) {
    #expect(TimeText.timestamp(time).hasSuffix(time < 0 ? ":05.224192Z" : ":54.775807Z"))
  }

  @Test func `the time that stands for none has a text, too`() {
    #expect(TimeText.timestamp(.never).hasPrefix("-"))
    #expect(TimeText.timestamp(.never - Microseconds.perDay).hasPrefix("-"))
  }

  @Test func `timestamps sort as their times do up to the year 9999`() {
    let times = stride(from: Microseconds(0), to: 253_402_300_800_000_000, by: 999_999_999_999_937)
    let texts = times.map { TimeText.timestamp($0) }
    #expect(texts.count > 250)
    #expect(texts == texts.sorted())
    #expect(texts.allSatisfy { $0.utf8.count == 27 })
  }

  @Test func `no time lies below every event time and below every watermark`() {
    let outOfOrderness = 10_000 * 365 * Microseconds.perDay
    #expect(Microseconds.never < 0 - outOfOrderness)
    let (_, overflow) = Microseconds.never.subtractingReportingOverflow(outOfOrderness)
    #expect(!overflow)
  }

  @Test func `events are ordered by time, then partition, then offset`() {
    let points = [
      EventPoint(time: 1, partition: 9, offset: 9), EventPoint(time: 2, partition: 0, offset: 9),
      EventPoint(time: 2, partition: 1, offset: 0), EventPoint(time: 2, partition: 1, offset: 1),
    ]
    for (left, one) in points.enumerated() {
      for (right, other) in points.enumerated() {
        #expect((one < other) == (left < right))
        #expect((one == other) == (left == right))
      }
    }
  }
}

import SessionModel
import Testing

@Suite struct EncodingTests {
  @Test func `dates agree with counting days from 1970 to 2500`() {
    var expected = CivilDate(year: 1970, month: 1, day: 1)
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    for day in 0..<(530 * 365) {
      #expect(CivilDate(daysSince1970: day) == expected)
      #expect(expected.daysSince1970 == day)
      let year = expected.year
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      let length = lengths[expected.month - 1] + (expected.month == 2 && isLeap ? 1 : 0)
      expected.day += 1
      if expected.day > length { (expected.day, expected.month) = (1, expected.month + 1) }
      if expected.month > 12 { (expected.month, expected.year) = (1, year + 1) }
    }
  }

  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000000Z"), (1_431_857_103_000_001, "2015-05-17T10:05:03.000001Z"),
      (951_827_696_789_000, "2000-02-29T12:34:56.789000Z"),
    ] as [(Microseconds, String)])
  func `times are written with microseconds in UTC`(time: Microseconds, text: String) {
    #expect(TimeText.timestamp(time) == text)
    #expect(TimeText.date(time) == text.prefix(10))
  }

  private static var record: SessionRecord {
    var session = Session(
      first: EventPoint(time: 5, partition: 1, offset: 2),
      last: EventPoint(time: 9, partition: 0, offset: 7), eventCount: 3, firstSeenCheckpoint: 4)
    session.landingURL = Array("/ä".utf8)
    session.exitURL = []
    return SessionRecord(userID: [], ip: Array("::1".utf8), sessions: [session, session])
  }

  @Test func `a session record survives packing, and no part of it is taken for a whole`() {
    var bytes: [UInt8] = []
    Self.record.append(to: &bytes)
    #expect(bytes.withUnsafeBytes { SessionRecord(packed: $0) } == Self.record)
    for length in 0..<bytes.count {
      #expect(bytes[..<length].withUnsafeBytes { SessionRecord(packed: $0) } == nil)
    }
    #expect((bytes + [0]).withUnsafeBytes { SessionRecord(packed: $0) } == nil)
  }

  @Test func `JSON strings escape quotes, backslashes and control characters alone`() {
    var bytes: [UInt8] = []
    JSONText.append("a\"\\\n\u{1}\u{7F}é😀/", to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == #""a\"\\\n\u0001\u007fé😀/""#)
  }
}

/// A point in time or a span, in microseconds; points count from 1970-01-01T00:00:00Z.
///
/// Event time, watermark and close line are all held this way; leap seconds do not exist, as in
/// POSIX time.
package typealias Microseconds = Int64

extension Microseconds {
  /// "No time yet": below every event time and every watermark.
  ///
  /// Half of the least integer, so that subtracting a gap or an out-of-orderness cannot overflow.
  package static var never: Microseconds { Int64.min / 2 }
  /// 9999-12-31T23:59:59.999999Z. Later event times are rejected: ISO-8601 text ends there.
  package static var latest: Microseconds { 253_402_300_799_999_999 }
  package static var perMillisecond: Microseconds { 1_000 }
  package static var perSecond: Microseconds { 1_000_000 }
  package static var perDay: Microseconds { 86_400 * perSecond }
}

/// A date of the proleptic Gregorian calendar, in UTC.
package struct CivilDate: Equatable, Sendable {
  package var year: Int
  package var month: Int
  package var day: Int

  package init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// The UTC date on which a point in time lies.
  package init(_ time: Microseconds) {
    self.init(daysSince1970: Int(floorDivide(time, Microseconds.perDay)))
  }

  /// After H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
  package init(daysSince1970 days: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// Days from 1970-01-01 to this date; the same source, `days_from_civil`.
  package var daysSince1970: Int {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}

func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
  let quotient = dividend / divisor
  return dividend % divisor < 0 ? quotient - 1 : quotient
}

/// Text forms of a point in time, ASCII, appended to a buffer of bytes.
package enum TimeText {
  /// `2015-05-17T10:05:03.000000Z`: 27 characters up to the year 9999, and so sorting as text.
  package static func appendTimestamp(_ time: Microseconds, to bytes: inout [UInt8]) {
    appendDate(time, to: &bytes)
    bytes.append(UInt8(ascii: "T"))
    let rest = time % Microseconds.perDay
    let inDay = rest < 0 ? rest + Microseconds.perDay : rest
    let seconds = Int(inDay / Microseconds.perSecond)
    appendPadded(seconds / 3_600, width: 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    appendPadded(seconds / 60 % 60, width: 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    appendPadded(seconds % 60, width: 2, to: &bytes)
    bytes.append(UInt8(ascii: "."))
    appendPadded(Int(inDay % Microseconds.perSecond), width: 6, to: &bytes)
    bytes.append(UInt8(ascii: "Z"))
  }

  /// `2015-05-17`, the UTC date.
  package static func appendDate(_ time: Microseconds, to bytes: inout [UInt8]) {
    let date = CivilDate(time)
    appendPadded(date.year, width: 4, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    appendPadded(date.month, width: 2, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    appendPadded(date.day, width: 2, to: &bytes)
  }

  /// Reads exactly what `appendTimestamp` writes for a time from 1970 on; nil for anything else.
  package static func timestamp(_ text: some Collection<UInt8>) -> Microseconds? {
    let digits = Array(text)
    func number(_ range: Range<Int>) -> Int64? {
      Int64(String(decoding: digits[range], as: UTF8.self))
    }
    guard digits.count == 27, let year = number(0..<4), let month = number(5..<7),
      let day = number(8..<10), let hour = number(11..<13), let minute = number(14..<16),
      let second = number(17..<19), let fraction = number(20..<26), (1...12).contains(month)
    else { return nil }
    let date = CivilDate(year: Int(year), month: Int(month), day: Int(day))
    let seconds = (Int64(date.daysSince1970) * 24 + hour) * 3_600 + minute * 60 + second
    let time = seconds * .perSecond + fraction
    return time >= 0 && timestamp(time).utf8.elementsEqual(digits) ? time : nil
  }

  package static func timestamp(_ time: Microseconds) -> String {
    var bytes: [UInt8] = []
    appendTimestamp(time, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  package static func date(_ time: Microseconds) -> String {
    var bytes: [UInt8] = []
    appendDate(time, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func appendPadded(_ number: Int, width: Int, to bytes: inout [UInt8]) {
    // Only a year can be negative: `.never`, shown by mistake, must not stop the process.
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    let number = abs(number)
    var power = 1
    for _ in 1..<width { power *= 10 }
    while number / power >= 10 { power *= 10 }
    while power > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(number / power % 10))
      power /= 10
    }
  }
}

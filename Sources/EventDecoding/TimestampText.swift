import SessionModel

/// Times that are text: ISO-8601 in the extended form with an offset from UTC, as RFC 3339 has it,
/// or an epoch number.
///
/// `2015-05-17T10:05:03.000Z`. Besides: `t` or a space instead of `T`, `z`, offsets `+02`, `+0200`
/// and `+02:00`, a comma before the fraction, a time without seconds. `24:00:00` is the next day's
/// midnight; `23:59:60`, which only a leap second has, is the midnight after it, as in POSIX time.
/// What is finer than a microsecond is cut off. A date without a time is not accepted.
struct TimestampText {
  private let text: UnsafeRawBufferPointer
  private var place = 0

  private init(_ text: UnsafeRawBufferPointer) { self.text = text }

  static func decode(
    _ text: UnsafeRawBufferPointer, unit: EventTimeUnit, assumeUTC: Bool
  ) -> DecodedTime {
    guard text.count > 4, text[4] == UInt8(ascii: "-") else {
      return EpochTime.decode(text: text, unit: unit) ?? .rejected(.badTime)
    }
    var parser = TimestampText(text)
    return parser.timestamp(assumeUTC: assumeUTC)
  }

  private mutating func timestamp(assumeUTC: Bool) -> DecodedTime {
    guard let days = date(), separator(), let (seconds, fraction) = timeOfDay() else {
      return .rejected(.badTime)
    }
    guard place < text.count || assumeUTC else { return .rejected(.timeWithoutOffset) }
    guard let offset = offset(), place == text.count else { return .rejected(.badTime) }
    let sinceEpoch = days &* 86_400 &+ seconds.value &- offset
    // A leap second is the last one of a day in UTC.
    guard !seconds.isLeap || sinceEpoch % 86_400 == 0 else { return .rejected(.badTime) }
    return .checked(Microseconds(sinceEpoch) &* Microseconds.perSecond &+ Microseconds(fraction))
  }

  /// Days since 1970.
  private mutating func date() -> Int? {
    guard let high = twoDigits(), let low = twoDigits(), skip("-"), let month = twoDigits(),
      skip("-"), let day = twoDigits()
    else { return nil }
    let year = high &* 100 &+ low
    guard day >= 1, day <= TimestampText.daysInMonth(month, year: year) else { return nil }
    return CivilDate(year: year, month: month, day: day).daysSince1970
  }

  private mutating func separator() -> Bool { skip("T") || skip("t") || skip(" ") }

  /// Seconds since midnight, and µs on top of them.
  private mutating func timeOfDay() -> (seconds: (value: Int, isLeap: Bool), fraction: Int)? {
    guard let hour = twoDigits(), skip(":"), let minute = twoDigits() else { return nil }
    var second = 0
    var fraction = 0
    if skip(":") {
      guard let seconds = twoDigits() else { return nil }
      second = seconds
      if skip(".") || skip(",") {
        guard let digits = microseconds() else { return nil }
        fraction = digits
      }
    }
    let isMidnight = minute == 0 && second == 0 && fraction == 0
    guard hour < 24 || hour == 24 && isMidnight, minute < 60, second <= 60 else { return nil }
    return ((hour &* 3_600 &+ minute &* 60 &+ second, second == 60), fraction)
  }

  /// Seconds that local time is ahead of UTC; 0 at the end of the text.
  private mutating func offset() -> Int? {
    if place == text.count || skip("Z") || skip("z") { return 0 }
    let isAhead = skip("+")
    guard isAhead || skip("-"), let hours = twoDigits(), hours < 24 else { return nil }
    var minutes = 0
    if place < text.count {
      _ = skip(":")
      guard let digits = twoDigits(), digits < 60 else { return nil }
      minutes = digits
    }
    let seconds = hours &* 3_600 &+ minutes &* 60
    return isAhead ? seconds : -seconds
  }

  /// One digit at least; those behind the sixth are skipped.
  private mutating func microseconds() -> Int? {
    var sum = 0
    var weight = 100_000
    let start = place
    while place < text.count, case let digit = text[place] &- UInt8(ascii: "0"), digit < 10 {
      sum &+= Int(digit) &* weight
      weight /= 10
      place &+= 1
    }
    return place > start ? sum : nil
  }

  @inline(__always)
  private mutating func twoDigits() -> Int? {
    guard place &+ 2 <= text.count else { return nil }
    let tens = text[place] &- UInt8(ascii: "0")
    let ones = text[place &+ 1] &- UInt8(ascii: "0")
    guard tens < 10, ones < 10 else { return nil }
    place &+= 2
    return Int(tens &* 10 &+ ones)
  }

  @inline(__always)
  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard place < text.count, text[place] == UInt8(ascii: character) else { return false }
    place &+= 1
    return true
  }

  private static func daysInMonth(_ month: Int, year: Int) -> Int {
    switch month {
    case 1, 3, 5, 7, 8, 10, 12: 31
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 0
    }
  }
}

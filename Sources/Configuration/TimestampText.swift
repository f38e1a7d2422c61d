package import SessionModel

/// Points in time on the command line: ISO-8601 with an offset, or epoch milliseconds.
package enum TimestampText {
  /// - Returns: µs since 1970; nil where the text is neither form, names a day or an hour that does
  ///   not exist, or lies before 1970 or behind the year 9999.
  package static func parse(_ text: String) -> Microseconds? {
    if text.utf8.allSatisfy(isDigit), let milliseconds = Int64(text) {
      let (time, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000)
      return overflow || time > .latest ? nil : time
    }
    var reader = Reader(rest: text.utf8[...])
    guard let date = reader.date(), let inDay = reader.timeOfDay(), let offset = reader.offset(),
      reader.rest.isEmpty
    else { return nil }
    let time = Int64(date.daysSince1970) * Microseconds.perDay + inDay - offset
    return (0...Microseconds.latest).contains(time) ? time : nil
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  /// Takes the parts of `2025-01-31T08:30:00.125+01:00` from the front.
  private struct Reader {
    var rest: Substring.UTF8View

    mutating func date() -> CivilDate? {
      guard let year = number(width: 4), take("-"), let month = number(width: 2), take("-"),
        let day = number(width: 2), (1...12).contains(month), day >= 1
      else { return nil }
      let date = CivilDate(year: year, month: month, day: day)
      return CivilDate(daysSince1970: date.daysSince1970) == date ? date : nil
    }

    mutating func timeOfDay() -> Microseconds? {
      guard take("T") || take("t") || take(" "), let hour = number(width: 2), hour < 24, take(":"),
        let minute = number(width: 2), minute < 60
      else { return nil }
      var time = Int64(hour * 3_600 + minute * 60) * Microseconds.perSecond
      guard take(":") else { return time }
      guard let second = number(width: 2), second < 60 else { return nil }
      time += Int64(second) * Microseconds.perSecond
      guard take(".") else { return time }
      guard let fraction = fraction() else { return nil }
      return time + fraction
    }

    /// East of Greenwich is positive, in µs.
    mutating func offset() -> Microseconds? {
      if take("Z") || take("z") { return 0 }
      let west = take("-")
      guard west || take("+"), let hour = number(width: 2), hour < 24 else { return nil }
      _ = take(":")
      guard let minute = number(width: 2), minute < 60 else { return nil }
      let offset = Int64(hour * 3_600 + minute * 60) * Microseconds.perSecond
      return west ? -offset : offset
    }

    /// Up to nine digits; what is finer than a µs is cut.
    private mutating func fraction() -> Microseconds? {
      let digits = rest.prefix(while: isDigit)
      guard (1...9).contains(digits.count) else { return nil }
      rest = rest[digits.endIndex...]
      var fraction: Int64 = 0
      var weight: Int64 = 100_000
      for digit in digits.prefix(6) {
        fraction += Int64(digit - UInt8(ascii: "0")) * weight
        weight /= 10
      }
      return fraction
    }

    private mutating func number(width: Int) -> Int? {
      let digits = rest.prefix(width)
      guard digits.count == width, digits.allSatisfy(isDigit) else { return nil }
      rest = rest[digits.endIndex...]
      return Int(Substring(digits))
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard rest.first == UInt8(ascii: character) else { return false }
      rest = rest.dropFirst()
      return true
    }
  }
}

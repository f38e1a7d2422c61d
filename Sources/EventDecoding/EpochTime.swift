import SessionModel

/// What a mapped time turned out to be.
enum DecodedTime: Equatable {
  case time(Microseconds)
  case rejected(RejectReason)

  /// A time that was computed, checked to be one that an event can have.
  static func checked(_ time: Microseconds) -> DecodedTime {
    time >= 0 && time <= .latest ? .time(time) : .rejected(.timeOutOfRange)
  }
}

/// Times that are numbers: seconds, milliseconds or microseconds since 1970.
///
/// What is finer than a microsecond is cut off, towards the past.
enum EpochTime {
  /// - Parameter whole: the number without its fraction.
  /// - Returns: how many µs one unit has; nil where no unit explains the magnitude.
  private static func scale(of whole: UInt64, unit: EventTimeUnit) -> UInt64? {
    switch unit {
    case .seconds: return 1_000_000
    case .milliseconds: return 1_000
    case .microseconds: return 1
    case .auto:
      if whole < 100_000_000_000 { return 1_000_000 }
      if whole < 100_000_000_000_000 { return 1_000 }
      if whole < 100_000_000_000_000_000 { return 1 }
      return nil
    }
  }

  static func decode(integer: UInt64, unit: EventTimeUnit) -> DecodedTime {
    guard let scale = scale(of: integer, unit: unit) else { return .rejected(.timeOutOfRange) }
    let (time, overflow) = integer.multipliedReportingOverflow(by: scale)
    guard !overflow, let time = Microseconds(exactly: time) else {
      return .rejected(.timeOutOfRange)
    }
    return .checked(time)
  }

  /// A double is what JSON's decimal fraction was rounded to. Where a whole number of µs rounds to
  /// the very same double, that number was meant: 1700000000.123456 gives …123456 although the
  /// double lies below it.
  static func decode(double: Double, unit: EventTimeUnit) -> DecodedTime {
    guard double >= 0, double < 1e18 else { return .rejected(.timeOutOfRange) }
    let whole = UInt64(double)
    guard let scale = scale(of: whole, unit: unit) else { return .rejected(.timeOutOfRange) }
    let scaled = double * Double(scale)
    // Above 2^53 doubles lie more than one µs apart, so that there is nothing to round.
    guard scaled < 0x1p53 else {
      return scaled < 0x1p62 ? .checked(Microseconds(scaled)) : .rejected(.timeOutOfRange)
    }
    var time = Microseconds(scaled.rounded())
    if Double(time) / Double(scale) > double { time -= 1 }
    return .checked(time)
  }

  /// A decimal number as text, with or without a fraction: `1700000000`, `1700000000.123456`.
  ///
  /// - Returns: nil if the text is anything else.
  static func decode(text: UnsafeRawBufferPointer, unit: EventTimeUnit) -> DecodedTime? {
    let isNegative = text.first == UInt8(ascii: "-")
    var digits = Decimals(text, from: isNegative ? 1 : 0)
    guard let whole = digits.number() else { return nil }
    let point = digits.place
    guard point == text.count || Decimals.isFraction(text, at: point) else { return nil }
    guard !isNegative, let whole, let scale = scale(of: whole, unit: unit) else {
      return .rejected(.timeOutOfRange)
    }
    var time = whole.multipliedReportingOverflow(by: scale)
    var weight = scale / 10
    for index in (point + 1)..<max(text.count, point + 1) where weight > 0 {
      time.partialValue += UInt64(text[index] &- UInt8(ascii: "0")) * weight
      weight /= 10
    }
    guard !time.overflow, let time = Microseconds(exactly: time.partialValue) else {
      return .rejected(.timeOutOfRange)
    }
    return .checked(time)
  }
}

/// Reads decimal digits of a text.
private struct Decimals {
  let text: UnsafeRawBufferPointer
  var place: Int

  init(_ text: UnsafeRawBufferPointer, from place: Int) {
    self.text = text
    self.place = place
  }

  /// - Returns: nil without a digit; inside, nil where the number does not fit.
  mutating func number() -> UInt64?? {
    var number: UInt64? = 0
    let start = place
    while place < text.count, let digit = Decimals.digit(text[place]) {
      number = number.flatMap { number in
        let (tenfold, tooLarge) = number.multipliedReportingOverflow(by: 10)
        let (sum, carries) = tenfold.addingReportingOverflow(UInt64(digit))
        return tooLarge || carries ? nil : sum
      }
      place += 1
    }
    return place > start ? .some(number) : nil
  }

  /// Whether a point and at least one digit stand from `place` up to the end.
  static func isFraction(_ text: UnsafeRawBufferPointer, at place: Int) -> Bool {
    guard text[place] == UInt8(ascii: "."), text.count > place + 1 else { return false }
    return text[(place + 1)...].allSatisfy { digit($0) != nil }
  }

  static func digit(_ byte: UInt8) -> UInt8? {
    let digit = byte &- UInt8(ascii: "0")
    return digit < 10 ? digit : nil
  }
}

package import SessionModel

/// Spans of time as people write them: `30s`, `5m`, `1h30m`, `250us`.
package enum DurationText {
  /// The longest span that is taken: 36,500 days. Sums of a few of them cannot overflow.
  package static let longest: Microseconds = 36_500 * Microseconds.perDay

  /// From the longest to the shortest.
  private static let units: [(suffix: String, span: Microseconds)] = [
    ("d", Microseconds.perDay), ("h", 3_600 * Microseconds.perSecond),
    ("m", 60 * Microseconds.perSecond), ("s", Microseconds.perSecond),
    ("ms", Microseconds.perMillisecond), ("us", 1),
  ]

  /// Reads whole numbers, each with its unit, the units in falling order and each at most once;
  /// also a bare `0`.
  ///
  /// - Throws: `DurationError`, naming what is wrong.
  package static func parse(_ text: String) throws(DurationError) -> Microseconds {
    if text == "0" { return 0 }
    var rest = text.utf8[...]
    if rest.isEmpty { throw .notADuration }
    var total: Microseconds = 0
    var nextUnit = 0
    while !rest.isEmpty {
      let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
      rest = rest[digits.endIndex...]
      let letters = rest.prefix { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }
      rest = rest[letters.endIndex...]
      if digits.isEmpty { throw .notADuration }
      if letters.isEmpty { throw rest.isEmpty ? .missingUnit : .notADuration }
      guard let unit = units.firstIndex(where: { $0.suffix == String(Substring(letters)) }) else {
        throw .unknownUnit
      }
      if unit < nextUnit { throw .unitsOutOfOrder }
      nextUnit = unit + 1
      guard let count = Int64(Substring(digits)), count <= longest / units[unit].span else {
        throw .tooLong
      }
      total += count * units[unit].span
      if total > longest { throw .tooLong }
    }
    return total
  }

  /// The shortest form that `parse` reads back to the same span; for spans that are not negative.
  package static func text(_ span: Microseconds) -> String {
    var rest = span
    var text = ""
    for unit in units where rest >= unit.span {
      text += "\(rest / unit.span)\(unit.suffix)"
      rest %= unit.span
    }
    return text.isEmpty ? "0s" : text
  }
}

/// Why a text is no duration.
package enum DurationError: Error, Equatable {
  case notADuration
  case missingUnit
  case unknownUnit
  case unitsOutOfOrder
  case tooLong

  /// Continues the sentence "X is not a duration: …".
  var reason: String {
    switch self {
    case .notADuration: "it needs whole numbers with a unit"
    case .missingUnit: "its unit is missing"
    case .unknownUnit: "the units are d, h, m, s, ms and us"
    case .unitsOutOfOrder: "each unit stands once, the longest first"
    case .tooLong: "the longest is \(DurationText.text(DurationText.longest))"
    }
  }
}

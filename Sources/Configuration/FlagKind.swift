package import SessionModel

/// What a flag's value must look like.
package enum FlagKind: Equatable, Sendable {
  /// Present or absent on the command line; `true` or `false` elsewhere.
  case boolean
  /// Any text that is not empty.
  case text
  /// A span of time, at least `minimum` µs.
  case duration(minimum: Microseconds, allowsOff: Bool)
  /// A whole number in this range.
  case integer(ClosedRange<Int>)
  /// One of these words.
  case choice([String])
  /// `KEY=VALUE` for librdkafka; the value may be a secret.
  case property
  /// `NAME=PATH`.
  case fieldPath
  /// `earliest`, `latest` or a timestamp.
  case startPoint
  /// A point in time.
  case timestamp
  /// A calendar day, UTC.
  case date

  var takesValue: Bool { self != .boolean }
}

/// Bytes of UTF-8 text that live elsewhere; `nil` where the field is null or absent.
package typealias TextView = UnsafeRawBufferPointer

/// One decoded web event. It owns nothing: its texts point into the record or into the decoder's
/// buffer and are valid until the decoder is called again.
package struct Event {
  /// Event time in µs since 1970, never negative.
  package var time: Microseconds = 0
  /// The key's fields, joined as `KeyLayout` says; never empty.
  package var key: TextView = TextView(start: nil, count: 0)
  /// The visitor's id as text; empty for a logged-out visitor.
  package var userID: TextView = TextView(start: nil, count: 0)
  /// The address in canonical form where it is an IP literal, else as it came; empty where there is
  /// none, which only a key without it allows.
  package var ip: TextView = TextView(start: nil, count: 0)
  /// What the event calls itself; nil where no field is mapped to it.
  package var eventType: TextView?
  package var url: TextView?
  package var referrer: TextView?
  package var host: TextView?
  package var browserFamily: TextView?
  package var osFamily: TextView?
  package var deviceFamily: TextView?
  /// The user-agent header where it came as text; the families are then those that were mapped on
  /// their own.
  package var rawUserAgent: TextView?
  /// How many of the texts were cut at `Limits.keptTextBytes`.
  package var cutTexts: Int = 0

  @inlinable package init() {}
}

/// Bounds on what one record may bring in. All in bytes.
package enum Limits {
  /// A longer record value is rejected as `too_large`.
  package static let recordBytes = 1 << 20
  /// Texts kept in a session are cut to this, at a code point; the cuts are counted.
  package static let keptTextBytes = 2_048
  /// A longer key field is rejected as `key_too_long`: cutting would join visitors.
  package static let keyFieldBytes = 2_048
  /// JSON nested deeper is rejected as `too_deep`.
  package static let jsonDepth = 128
  /// Of a late or rejected record this much of the value is kept.
  package static let keptPayloadBytes = 4_096
}

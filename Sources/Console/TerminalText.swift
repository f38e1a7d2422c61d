/// Text from outside (events, paths, brokers) made harmless for a terminal.
package enum TerminalText {
  /// Every scalar that could steer a terminal or reorder what it shows, replaced by a visible one.
  ///
  /// C0 controls and DEL become their pictures (U+2400…); C1 controls, line and paragraph
  /// separators, and the bidirectional controls of Unicode's UAX #9 become U+FFFD.
  package static func sanitised(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
    var clean = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { clean.append(harmless(scalar)) }
    return String(clean)
  }

  /// The same for bytes that may not be UTF-8: what is not becomes U+FFFD.
  package static func sanitised(_ bytes: UnsafeRawBufferPointer) -> String {
    sanitised(String(decoding: bytes, as: UTF8.self))
  }

  private static func harmless(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar.value {
    case 0..<0x20: Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}"
    case 0x7F: "\u{2421}"
    case 0x80...0x9F, 0x2028...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x061C: "\u{FFFD}"
    default: scalar
    }
  }
}

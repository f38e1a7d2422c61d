import Console
import Testing

@Test(arguments: [
  ("plain text 42", "plain text 42"), ("grüße 訪問 🙂", "grüße 訪問 🙂"),
  ("\u{1B}[31mred\u{7}", "␛[31mred␇"), ("a\r\nb\tc\0", "a␍␊b␉c␀"), ("\u{7F}", "␡"),
  ("\u{9B}31m", "\u{FFFD}31m"), ("\u{202E}gpj.exe", "\u{FFFD}gpj.exe"),
  ("a\u{2028}b\u{2066}c\u{200F}", "a\u{FFFD}b\u{FFFD}c\u{FFFD}"),
])
func `what could steer a terminal is replaced by something visible`(text: String, expected: String)
{
  #expect(TerminalText.sanitised(text) == expected)
}

@Test func `no scalar up to the general punctuation's end leaves a control behind`() {
  for value in UInt32(0)..<0x2070 {
    guard let scalar = Unicode.Scalar(value) else { continue }
    for left in TerminalText.sanitised("a\(scalar)").unicodeScalars {
      #expect(left.value >= 0x20 && !(0x7F...0x9F).contains(left.value))
    }
  }
}

@Test func `bytes that are not UTF-8 become replacement characters`() {
  let clean = [UInt8(ascii: "a"), 0xC3, 0x28, 0x1B].withUnsafeBytes(TerminalText.sanitised)
  #expect(clean == "a\u{FFFD}(␛")
}

@Test(arguments: [
  ("", 0), ("abc", 3), ("grüße", 5), ("gru\u{308}", 3), ("訪問", 4), ("🙂", 2), ("\u{200B}", 0),
  ("ｆ", 2),
])
func `a text's width is counted in cells`(text: String, expected: Int) {
  #expect(DisplayWidth.of(text) == expected)
}

@Test(arguments: [
  ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("訪問者", 5, "訪問…"), ("訪問者", 4, "訪…"),
  ("abc", 1, "…"), ("abc", 0, ""),
])
func `a text is cut to a width with an ellipsis`(text: String, width: Int, expected: String) {
  #expect(DisplayWidth.cut(text, to: width) == expected)
  #expect(DisplayWidth.of(DisplayWidth.cut(text, to: width)) <= width)
}

/// Tells a malformed number from one that is out of range, which the parser calls by one name.
///
/// Only runs on records that are rejected anyway.
enum NumberGrammar {
  /// Whether a token that begins like a number does not follow RFC 8259, section 6.
  static func hasMalformedNumber(_ document: UnsafeRawBufferPointer) -> Bool {
    var place = 0
    while place < document.count {
      switch document[place] {
      case UInt8(ascii: "\""):
        place = endOfString(document, from: place + 1)
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        let start = place
        while place < document.count, !endsToken(document[place]) { place += 1 }
        if !isNumber(document[start..<place]) { return true }
      default: place += 1
      }
    }
    return false
  }

  private static func endOfString(_ document: UnsafeRawBufferPointer, from start: Int) -> Int {
    var place = start
    while place < document.count, document[place] != UInt8(ascii: "\"") {
      place += document[place] == UInt8(ascii: "\\") ? 2 : 1
    }
    return place + 1
  }

  private static func endsToken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ":"),
      UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "\""), 0x20, 0x09, 0x0A, 0x0D:
      true
    default: false
    }
  }

  private static func isNumber(_ token: Slice<UnsafeRawBufferPointer>) -> Bool {
    var rest = token
    if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
    let whole = takeDigits(&rest)
    guard whole.count == 1 || whole.count > 1 && whole.first != UInt8(ascii: "0") else {
      return false
    }
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      guard !takeDigits(&rest).isEmpty else { return false }
    }
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
      rest.removeFirst()
      if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest.removeFirst() }
      guard !takeDigits(&rest).isEmpty else { return false }
    }
    return rest.isEmpty
  }

  private static func takeDigits(
    _ rest: inout Slice<UnsafeRawBufferPointer>
  ) -> Slice<UnsafeRawBufferPointer> {
    let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    rest = rest[digits.endIndex...]
    return digits
  }
}

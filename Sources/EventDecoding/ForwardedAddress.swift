import SessionModel

/// The visitor's address in a header that proxies write.
///
/// Each proxy adds the address that it got the request from at the end, so that the visitor's stands
/// first, behind what a private network may have put there.
enum ForwardedAddress {
  /// The first public address of a list.
  ///
  /// - Parameters:
  ///   - header: addresses with commas between them, each perhaps in quotes and with a port; or the
  ///     elements of `Forwarded` (RFC 7239), of which `for=` counts.
  ///   - buffer: as `IPAddressText.canonical` wants it.
  /// - Returns: its canonical text; nil where there is none.
  static func first(in header: TextView, buffer: UnsafeMutableRawBufferPointer) -> TextView? {
    var start = 0
    while start < header.count {
      var end = start
      while end < header.count, header[end] != UInt8(ascii: ",") { end += 1 }
      let element = address(of: TextView(rebasing: header[start..<end]))
      if let address = IPAddressText.publicCanonical(element, buffer: buffer) { return address }
      start = end + 1
    }
    return nil
  }

  /// What stands for the address in one element of the list.
  private static func address(of element: TextView) -> TextView {
    var place = 0
    while place < element.count {
      var end = place
      while end < element.count, element[end] != UInt8(ascii: ";") { end += 1 }
      let pair = trimmed(TextView(rebasing: element[place..<end]))
      if pair.count > 4, isFor(pair) { return trimmed(TextView(rebasing: pair[4...])) }
      place = end + 1
    }
    return trimmed(element)
  }

  private static func isFor(_ pair: TextView) -> Bool {
    pair[0] | 0x20 == UInt8(ascii: "f") && pair[1] | 0x20 == UInt8(ascii: "o")
      && pair[2] | 0x20 == UInt8(ascii: "r") && pair[3] == UInt8(ascii: "=")
  }

  /// Without white space and quotes around it.
  private static func trimmed(_ text: TextView) -> TextView {
    func goes(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == UInt8(ascii: "\"") }
    var start = 0
    var end = text.count
    while start < end, goes(text[start]) { start += 1 }
    while end > start, goes(text[end - 1]) { end -= 1 }
    return TextView(rebasing: text[start..<end])
  }
}

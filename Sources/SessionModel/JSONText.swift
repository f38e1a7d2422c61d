/// JSON written into bytes: for rows, dumps and messages to programs.
package enum JSONText {
  /// A string literal with its quotes, RFC 8259; control characters are escaped, the rest stays UTF-8.
  package static func append(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    var clean = 0
    for (index, byte) in text.enumerated() {
      if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte != 0x7F {
        continue
      }
      bytes.append(contentsOf: text[clean..<index])
      clean = index + 1
      appendEscape(byte, to: &bytes)
    }
    bytes.append(contentsOf: text[clean...])
    bytes.append(UInt8(ascii: "\""))
  }

  package static func append(_ text: String, to bytes: inout [UInt8]) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0), to: &bytes) }
  }

  /// The literal, or `null`.
  package static func append(_ text: UnsafeRawBufferPointer?, to bytes: inout [UInt8]) {
    if let text { append(text, to: &bytes) } else { bytes.append(contentsOf: "null".utf8) }
  }

  private static func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0C: bytes.append(UInt8(ascii: "f"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    default:
      bytes.append(contentsOf: "u00".utf8)
      for digit in [byte >> 4, byte & 0xF] {
        bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      }
    }
  }
}

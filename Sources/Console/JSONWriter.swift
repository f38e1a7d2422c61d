package import SessionModel

/// JSON for programs, written piece by piece into bytes: RFC 8259, always valid UTF-8, and without
/// any raw control character, C1 ones included.
package struct JSONWriter {
  package private(set) var bytes: [UInt8] = []
  private var needsComma = false

  package init() {}

  /// An object: as the whole text, or as the next element of an array.
  package mutating func object(_ body: (inout JSONWriter) -> Void) {
    separate()
    enclosed("{", "}", body)
  }

  /// An object that was written elsewhere, without its line's end; C1 controls in it are escaped.
  package mutating func object(written object: [UInt8]) {
    separate()
    let start = bytes.count
    bytes += object
    escapeControls(from: start)
  }

  /// A member that is an object.
  package mutating func object(_ name: String, _ body: (inout JSONWriter) -> Void) {
    key(name)
    enclosed("{", "}", body)
  }

  /// A member that is an array; add its elements with `object` and `element`.
  package mutating func array(_ name: String, _ body: (inout JSONWriter) -> Void) {
    key(name)
    enclosed("[", "]", body)
  }

  package mutating func element(_ text: String) {
    separate()
    append(text)
  }

  package mutating func element(_ number: some BinaryInteger) {
    separate()
    bytes += String(number).utf8
  }

  package mutating func member(_ name: String, _ text: String?) {
    key(name)
    if let text { append(text) } else { bytes += "null".utf8 }
  }

  /// Bytes from outside: what is not UTF-8 becomes U+FFFD.
  package mutating func member(_ name: String, bytes text: UnsafeRawBufferPointer?) {
    member(name, text.map { String(decoding: $0, as: UTF8.self) })
  }

  package mutating func member(_ name: String, _ number: some BinaryInteger) {
    key(name)
    bytes += String(number).utf8
  }

  package mutating func member(_ name: String, _ value: Bool) {
    key(name)
    bytes += (value ? "true" : "false").utf8
  }

  /// A point in time as ISO-8601 text; `null` for `.never`.
  package mutating func member(_ name: String, time: Microseconds?) {
    member(name, time.flatMap { $0 == .never ? nil : TimeText.timestamp($0) })
  }

  /// Ends a line: the next object begins a new JSON text (https://jsonlines.org).
  package mutating func endLine() {
    bytes.append(UInt8(ascii: "\n"))
    needsComma = false
  }

  /// Gives away what was written and begins anew.
  package mutating func take() -> [UInt8] {
    defer {
      bytes.removeAll(keepingCapacity: true)
      needsComma = false
    }
    return bytes
  }

  private mutating func key(_ name: String) {
    separate()
    append(name)
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  private mutating func enclosed(
    _ open: Unicode.Scalar, _ end: Unicode.Scalar, _ body: (inout JSONWriter) -> Void
  ) {
    bytes.append(UInt8(ascii: open))
    needsComma = false
    body(&self)
    bytes.append(UInt8(ascii: end))
    needsComma = true
  }

  /// C1 controls, U+0080 to U+009F, may stand in JSON as they are, but steer terminals.
  private mutating func append(_ text: String) {
    let start = bytes.count
    JSONText.append(text, to: &bytes)
    escapeControls(from: start)
  }

  private mutating func escapeControls(from start: Int) {
    // All of them begin with this byte in UTF-8.
    guard bytes[start...].contains(0xC2) else { return }
    var escaped: [UInt8] = []
    for scalar in String(decoding: bytes[start...], as: UTF8.self).unicodeScalars {
      if (0x80...0x9F).contains(scalar.value) {
        escaped += "\\u00\(String(scalar.value, radix: 16))".utf8
      } else {
        escaped += UTF8.encode(scalar)!
      }
    }
    bytes.replaceSubrange(start..., with: escaped)
  }
}

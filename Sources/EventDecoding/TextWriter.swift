/// Writes ASCII into a fixed buffer.
struct TextWriter {
  private let buffer: UnsafeMutableRawBufferPointer
  private(set) var count = 0

  init(_ buffer: UnsafeMutableRawBufferPointer) { self.buffer = buffer }

  mutating func append(_ byte: UInt8) {
    buffer[count] = byte
    count &+= 1
  }

  /// Digits without leading zeros, lower case.
  mutating func append(_ number: UInt64, radix: UInt64) {
    var weight: UInt64 = 1
    while number / weight >= radix { weight *= radix }
    while weight > 0 {
      let digit = UInt8(truncatingIfNeeded: number / weight % radix)
      append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      weight /= radix
    }
  }
}

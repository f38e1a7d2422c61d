/// Kafka's requests or answers as they come over a connection: a length of 4 bytes, then as many.
struct KafkaFrames {
  private var pending: [UInt8] = []

  /// Takes bytes in and gives the frames that are whole now, lengths included.
  mutating func take(_ bytes: some Sequence<UInt8>) -> [[UInt8]] {
    pending += bytes
    var frames: [[UInt8]] = []
    while pending.count >= 4 {
      let length = 4 + Int(pending.integer(at: 0, as: Int32.self))
      if pending.count < length { break }
      frames.append(Array(pending[..<length]))
      pending.removeFirst(length)
    }
    return frames
  }
}

/// What stands behind the length of a request.
struct KafkaRequestHead {
  var key: Int16
  var version: Int16
  var correlation: Int32

  init(_ frame: [UInt8]) {
    key = frame.integer(at: 4, as: Int16.self)
    version = frame.integer(at: 6, as: Int16.self)
    correlation = frame.integer(at: 8, as: Int32.self)
  }
}

extension [UInt8] {
  /// An integer in network byte order.
  func integer<Integer: FixedWidthInteger>(at place: Int, as type: Integer.Type) -> Integer {
    self[place..<place + MemoryLayout<Integer>.size].reduce(0) { $0 << 8 | Integer($1) }
  }

  mutating func append(bigEndian value: some FixedWidthInteger) {
    for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  /// A text with its length in two bytes.
  mutating func append(kafka text: String) {
    append(bigEndian: Int16(text.utf8.count))
    append(contentsOf: text.utf8)
  }
}

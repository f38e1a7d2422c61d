import SessionModel

/// What numbers in a value may be, whatever the checksum says: beyond these they would be a fault
/// of the program that wrote them, and sums of them could overflow.
enum ValueLimits {
  /// Of everything that is counted, bytes too.
  static let count: UInt64 = 1 << 58
  /// The keys of chunks have 48 bits for it.
  static let checkpoint: UInt64 = 1 << 47
  /// Of one segment's chunks: the map.
  static let segmentBytes = UInt64(EnvironmentLimits.mapBytes)
}

/// Fields that several values share, on top of `PackedText` and `PackedReader`.
extension PackedText {
  static func append(string: String, to bytes: inout [UInt8]) {
    append(text: Array(string.utf8), to: &bytes)
  }

  /// A byte that says whether there is a position, then its 40 bytes.
  static func append(position: RowPosition?, to bytes: inout [UInt8]) {
    bytes.append(position == nil ? 0 : 1)
    position?.append(to: &bytes)
  }
}

extension PackedReader {
  mutating func string() -> String? {
    guard let text = text(), let text else { return nil }
    return String(validating: text, as: UTF8.self)
  }

  /// - Returns: nil where the bytes are broken; inside, nil for a null text.
  mutating func optionalString() -> String?? {
    guard let text = text() else { return nil }
    guard let text else { return .some(nil) }
    return String(validating: text, as: UTF8.self).map { .some($0) }
  }

  /// - Returns: nil where the bytes are broken; inside, nil for no position.
  mutating func position() -> RowPosition?? {
    guard let flag = integer(UInt8.self), flag <= 1 else { return nil }
    if flag == 0 { return .some(nil) }
    guard let end = integer(UInt64.self), let first = integer(UInt64.self),
      let second = integer(UInt64.self), let third = integer(UInt64.self),
      let fourth = integer(UInt64.self)
    else { return nil }
    guard end.byteSwapped <= Microseconds.latest else { return nil }
    let id = SessionID(
      words: (first.byteSwapped, second.byteSwapped, third.byteSwapped, fourth.byteSwapped))
    return RowPosition(sessionEnd: Int64(bitPattern: end.byteSwapped), sessionID: id)
  }
}

extension RowPosition {
  var key: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(RowPosition.byteCount)
    append(to: &bytes)
    return bytes
  }
}

import CXXHash
import SessionModel

/// XXH3-64 over a value, seeded with what the value is and its key, so that a value that stands
/// under another key, or in another database, is noticed as well as a flipped bit.
enum Checksum {
  /// What a value is. The raw values are part of the format.
  enum Kind: UInt64 {
    case job = 1
    case state = 2
    case partition = 3
    case outboxRow = 4
    case late = 5
    case rejected = 6
    case dataChunk = 7
    case headerChunk = 8
    case segment = 9
    case record = 10
    case settings = 11
    case date = 12
    case bot = 13
    case geography = 14
  }

  static let byteCount = 8

  @inline(__always)
  static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    XXH3_64bits_withSeed(bytes.baseAddress, bytes.count, seed)
  }

  /// The seed of a value under an integer key.
  ///
  /// - Parameter place: what else says where it stands; a record's offset in its chunk.
  @inline(__always)
  static func seed(_ kind: Kind, _ key: UInt64, place: UInt64 = 0) -> UInt64 {
    // The odd constants of SplitMix64; any mixing would do that keeps keys apart.
    (kind.rawValue &* 0x9E37_79B9_7F4A_7C15) ^ (key &* 0xBF58_476D_1CE4_E5B9)
      ^ (place &* 0x94D0_49BB_1331_11EB)
  }

  /// The seed of a value under a key of bytes.
  static func seed(_ kind: Kind, _ key: UnsafeRawBufferPointer) -> UInt64 {
    of(key, seed: kind.rawValue)
  }
}

/// Values of variable length: a version byte, fields, and the checksum as the last 8 bytes.
enum SealedValue {
  /// Appends the checksum to a value that is complete otherwise.
  ///
  /// - Returns: the checksum.
  @discardableResult
  static func seal(_ value: inout [UInt8], from start: Int = 0, seed: UInt64) -> UInt64 {
    let checksum = value.withBytes {
      Checksum.of(UnsafeRawBufferPointer(rebasing: $0[start...]), seed: seed)
    }
    PackedText.append(checksum, to: &value)
    return checksum
  }

  /// - Returns: the fields behind the version byte; nil if the checksum or the version is wrong.
  static func open(
    _ value: UnsafeRawBufferPointer, version: UInt8, seed: UInt64
  ) -> UnsafeRawBufferPointer? {
    guard let checksum = checksum(value) else { return nil }
    let body = UnsafeRawBufferPointer(rebasing: value.dropLast(Checksum.byteCount))
    guard Checksum.of(body, seed: seed) == checksum, body[0] == version else { return nil }
    return UnsafeRawBufferPointer(rebasing: body.dropFirst())
  }

  /// The checksum that stands in a value, unchecked.
  static func checksum(_ value: UnsafeRawBufferPointer) -> UInt64? {
    guard value.count > Checksum.byteCount else { return nil }
    return UInt64(
      littleEndian: value.loadUnaligned(
        fromByteOffset: value.count - Checksum.byteCount, as: UInt64.self))
  }
}

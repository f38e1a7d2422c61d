import CXXHash
import KafkaClient
import SessionModel

/// One record by which a log is recognised: the last one read of a partition.
///
/// Byte form, version 1: `01`, null flag, then little-endian offset, timestamp in ms (-1: none) and
/// XXH3-64 of the value: 26 bytes.
struct RecordProof: Equatable {
  private static let version: UInt8 = 1
  private static let byteCount = 26

  var offset: Int64
  /// ms since 1970, as in the log.
  var timestamp: Int64
  var isNull: Bool
  var hash: UInt64

  init(_ message: KafkaMessage) {
    offset = message.offset
    timestamp = message.timestamp
    isNull = message.value == nil
    hash = message.value.map { XXH3_64bits($0.baseAddress, $0.count) } ?? 0
  }

  /// - Returns: nil for no proof, or one that only a newer version understands.
  init?(bytes: [UInt8]) {
    guard bytes.count == Self.byteCount, bytes[0] == Self.version else { return nil }
    func integer(at start: Int) -> UInt64 {
      bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    isNull = bytes[1] != 0
    offset = Int64(bitPattern: integer(at: 2))
    timestamp = Int64(bitPattern: integer(at: 10))
    hash = integer(at: 18)
  }

  var bytes: [UInt8] {
    var bytes: [UInt8] = [Self.version, isNull ? 1 : 0]
    for number in [UInt64(bitPattern: offset), UInt64(bitPattern: timestamp), hash] {
      for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * shift))) }
    }
    return bytes
  }
}

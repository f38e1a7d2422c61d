import SessionModel

/// A row of `late` or `rejected`.
///
/// Its key is partition, offset and checkpoint, big-endian: the checkpoint keeps records apart that
/// a recreated topic brings under offsets that were there before.
enum SideRow {
  static let version: UInt8 = 1
  static let keyBytes = 20

  private static func kind(of output: SideOutput) -> Checksum.Kind {
    output == .late ? .late : .rejected
  }

  static func key(_ record: SideRecord, checkpoint: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(keyBytes)
    withUnsafeBytes(of: UInt32(bitPattern: record.partition).bigEndian) {
      bytes.append(contentsOf: $0)
    }
    withUnsafeBytes(of: UInt64(bitPattern: record.offset).bigEndian) {
      bytes.append(contentsOf: $0)
    }
    withUnsafeBytes(of: checkpoint.bigEndian) { bytes.append(contentsOf: $0) }
    return bytes
  }

  static func encode(_ record: SideRecord, key: [UInt8], output: SideOutput) -> [UInt8] {
    var bytes = [version, record.reason, record.field]
    bytes.reserveCapacity(storedBytes(record))
    PackedText.append(record.recordTime, to: &bytes)
    PackedText.append(record.eventTime, to: &bytes)
    PackedText.append(record.watermark, to: &bytes)
    PackedText.append(record.valueLength, to: &bytes)
    bytes.append(contentsOf: record.payload)
    SealedValue.seal(&bytes, seed: key.withBytes { Checksum.seed(kind(of: output), $0) })
    return bytes
  }

  /// What a record counts towards the cap: its key and its value.
  static func storedBytes(_ record: SideRecord) -> Int {
    keyBytes + 3 + 4 * 8 + record.payload.count + Checksum.byteCount
  }

  static func decode(
    key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, output: SideOutput
  ) -> SideRecord? {
    let seed = Checksum.seed(kind(of: output), key)
    guard key.count == keyBytes,
      let body = SealedValue.open(value, version: version, seed: seed), body.count >= 34
    else { return nil }
    func time(_ index: Int) -> Int64 {
      Int64(littleEndian: body.loadUnaligned(fromByteOffset: 2 + index * 8, as: Int64.self))
    }
    guard time(3) >= -1 else { return nil }
    let partition = UInt32(bigEndian: key.loadUnaligned(as: UInt32.self))
    let offset = UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 4, as: UInt64.self))
    return SideRecord(
      partition: Int32(bitPattern: partition), offset: Int64(bitPattern: offset),
      reason: body[0], field: body[1], recordTime: time(0), eventTime: time(1),
      watermark: time(2), valueLength: time(3), payload: Array(body[34...]))
  }
}

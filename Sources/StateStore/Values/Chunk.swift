import SessionModel

/// What chunks of `data` and `headers` share: a head of 16 bytes and a size that LMDB reuses well.
///
/// | bytes | what |
/// | --- | --- |
/// | 1 | version |
/// | 3 | zero |
/// | 4 | bytes used, the head included |
/// | 8 | checksum of the used bytes behind the head, seeded with kind, key and bytes used |
///
/// LMDB stores a large value as a run of pages whose first 16 bytes are its own. Runs of all sizes
/// would leave holes that fit nothing, so a full chunk is 16 pages less those bytes and a smaller
/// one 1, 2, 4 or 8 pages: any freed run serves again.
enum Chunk {
  static let version: UInt8 = 1
  static let headBytes = 16
  static let pageBytes = 4_096
  static let pageHeadBytes = 16
  static let fullBytes = 16 * pageBytes - pageHeadBytes
  /// What fits into a full chunk.
  static let roomBytes = fullBytes - headBytes

  /// `checkpoint << 16 | number`.
  @inline(__always)
  static func key(checkpoint: UInt64, number: Int) -> UInt64 {
    checkpoint << 16 | UInt64(number)
  }

  /// The size of the value that holds `used` bytes.
  static func valueBytes(used: Int) -> Int {
    var pages = 1
    while pages < 16 && pages * pageBytes - pageHeadBytes < used { pages *= 2 }
    if pages * pageBytes - pageHeadBytes >= used { return pages * pageBytes - pageHeadBytes }
    return (used + pageHeadBytes + pageBytes - 1) / pageBytes * pageBytes - pageHeadBytes
  }

  /// Writes the head of a chunk whose `used` bytes are complete.
  static func seal(
    _ chunk: UnsafeMutableRawBufferPointer, used: Int, kind: Checksum.Kind, key: UInt64
  ) {
    let body = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(chunk)[headBytes..<used])
    let checksum = Checksum.of(body, seed: Checksum.seed(kind, key, place: UInt64(used)))
    chunk.storeBytes(of: UInt32(version).littleEndian, toByteOffset: 0, as: UInt32.self)
    chunk.storeBytes(of: UInt32(used).littleEndian, toByteOffset: 4, as: UInt32.self)
    chunk.storeBytes(of: checksum.littleEndian, toByteOffset: 8, as: UInt64.self)
  }

  /// - Returns: the used bytes, head included; nil if the head is broken. Checks no checksum.
  static func used(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard value.count >= headBytes, value.loadUnaligned(as: UInt32.self) == UInt32(version) else {
      return nil
    }
    let used = Int(value.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    guard used >= headBytes, used <= value.count else { return nil }
    return UnsafeRawBufferPointer(rebasing: value[..<used])
  }

  /// - Returns: the used bytes, head included; nil if the head or the checksum is wrong.
  static func open(
    _ value: UnsafeRawBufferPointer, kind: Checksum.Kind, key: UInt64
  ) -> UnsafeRawBufferPointer? {
    guard let used = used(value) else { return nil }
    let body = UnsafeRawBufferPointer(rebasing: used[headBytes...])
    let checksum = Checksum.of(body, seed: Checksum.seed(kind, key, place: UInt64(used.count)))
    guard checksum == used.loadUnaligned(fromByteOffset: 8, as: UInt64.self) else { return nil }
    return used
  }
}

/// A packed record in a chunk of `data`.
///
/// | bytes | what |
/// | --- | --- |
/// | 8 | checksum of all behind it, seeded with the chunk's key and the offset in the chunk |
/// | 4 | length, these 28 bytes included |
/// | 16 | hash of the key: high half, low half |
/// | … | the packed `SessionRecord` |
enum RecordEnvelope {
  static let byteCount = 28

  @inline(__always)
  static func write(
    _ record: UnsafeMutableRawBufferPointer, hash: KeyHash, payload: UnsafeRawBufferPointer,
    chunk: UInt64, offset: Int
  ) {
    record.storeBytes(of: UInt32(record.count).littleEndian, toByteOffset: 8, as: UInt32.self)
    record.storeBytes(of: hash.high.littleEndian, toByteOffset: 12, as: UInt64.self)
    record.storeBytes(of: hash.low.littleEndian, toByteOffset: 20, as: UInt64.self)
    UnsafeMutableRawBufferPointer(rebasing: record[byteCount...]).copyMemory(from: payload)
    let checksum = checksum(UnsafeRawBufferPointer(record), chunk: chunk, offset: offset)
    record.storeBytes(of: checksum.littleEndian, toByteOffset: 0, as: UInt64.self)
  }

  @inline(__always)
  static func checksum(_ record: UnsafeRawBufferPointer, chunk: UInt64, offset: Int) -> UInt64 {
    Checksum.of(
      UnsafeRawBufferPointer(rebasing: record[8...]),
      seed: Checksum.seed(.record, chunk, place: UInt64(offset)))
  }

  /// - Parameter value: the chunk's value.
  /// - Returns: the packed record; nil if anything about it is wrong.
  static func open(
    _ value: UnsafeRawBufferPointer, _ place: RecordPlace, hash: KeyHash
  ) -> UnsafeRawBufferPointer? {
    let offset = Int(place.offset)
    let end = offset + Int(place.length)
    guard let used = Chunk.used(value), offset >= Chunk.headBytes, end <= used.count,
      Int(place.length) >= byteCount
    else { return nil }
    let record = UnsafeRawBufferPointer(rebasing: used[offset..<end])
    guard record.loadUnaligned(fromByteOffset: 8, as: UInt32.self) == place.length,
      record.loadUnaligned(fromByteOffset: 12, as: UInt64.self) == hash.high,
      record.loadUnaligned(fromByteOffset: 20, as: UInt64.self) == hash.low,
      record.loadUnaligned(as: UInt64.self)
        == checksum(record, chunk: place.chunk, offset: offset)
    else { return nil }
    return UnsafeRawBufferPointer(rebasing: record[byteCount...])
  }
}

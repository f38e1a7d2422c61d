import SessionModel

/// The entries of one segment in chunks of `headers`, grouped by the top 8 bits of the hash.
///
/// An entry, little-endian: hash (u64 high, u64 low), least `last` (i64, µs), offset in the chunk
/// (u32), length (u32, 0 for a tombstone), number of the chunk within the same checkpoint (u16).
enum HeaderChunk {
  static let entryBytes = 34
  static let entriesPerChunk = Chunk.roomBytes / entryBytes
  static let groups = 256

  /// Where each of the 256 groups begins among the entries, and behind the last its end.
  static func groupBegins(_ entries: [HeaderEntry]) -> [UInt32] {
    var begins = [UInt32](repeating: 0, count: groups + 1)
    for entry in entries { begins[entry.hash.group + 1] += 1 }
    for group in 0..<groups { begins[group + 1] += begins[group] }
    return begins
  }

  /// Packs entries into sealed chunks and calls `body` with each in order, valid inside only.
  static func pack(
    _ entries: [HeaderEntry], begins: [UInt32], checkpoint: UInt64,
    _ body: (UInt64, UnsafeRawBufferPointer) throws(StateError) -> Void
  ) throws(StateError) {
    var next = begins
    var order = [UInt32](repeating: 0, count: entries.count)
    for (index, entry) in entries.enumerated() {
      order[Int(next[entry.hash.group])] = UInt32(index)
      next[entry.hash.group] += 1
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Chunk.fullBytes, alignment: 16)
    defer { buffer.deallocate() }
    for start in stride(from: 0, to: order.count, by: entriesPerChunk) {
      buffer.initializeMemory(as: UInt8.self, repeating: 0)
      var offset = Chunk.headBytes
      for index in order[start..<min(start + entriesPerChunk, order.count)] {
        write(entries[Int(index)], to: buffer, at: offset)
        offset += entryBytes
      }
      let key = Chunk.key(checkpoint: checkpoint, number: start / entriesPerChunk)
      Chunk.seal(buffer, used: offset, kind: .headerChunk, key: key)
      try body(key, UnsafeRawBufferPointer(rebasing: buffer[..<Chunk.valueBytes(used: offset)]))
    }
  }

  static func write(
    _ entry: HeaderEntry, to buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) {
    buffer.storeBytes(of: entry.hash.high.littleEndian, toByteOffset: offset, as: UInt64.self)
    buffer.storeBytes(of: entry.hash.low.littleEndian, toByteOffset: offset + 8, as: UInt64.self)
    buffer.storeBytes(of: entry.leastLast.littleEndian, toByteOffset: offset + 16, as: Int64.self)
    let place = entry.place
    buffer.storeBytes(of: place.offset.littleEndian, toByteOffset: offset + 24, as: UInt32.self)
    buffer.storeBytes(of: place.length.littleEndian, toByteOffset: offset + 28, as: UInt32.self)
    let number = UInt16(truncatingIfNeeded: place.chunk)
    buffer.storeBytes(of: number.littleEndian, toByteOffset: offset + 32, as: UInt16.self)
  }

  @inline(__always)
  static func entry(
    _ chunk: UnsafeRawBufferPointer, at offset: Int, checkpoint: UInt64
  ) -> HeaderEntry {
    let hash = KeyHash(
      high: chunk.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
      low: chunk.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
    let length = chunk.loadUnaligned(fromByteOffset: offset + 28, as: UInt32.self)
    if length == 0 { return HeaderEntry(hash: hash, place: .none, leastLast: 0) }
    let number = chunk.loadUnaligned(fromByteOffset: offset + 32, as: UInt16.self)
    let place = RecordPlace(
      chunk: checkpoint << 16 | UInt64(number),
      offset: chunk.loadUnaligned(fromByteOffset: offset + 24, as: UInt32.self), length: length)
    return HeaderEntry(
      hash: hash, place: place,
      leastLast: chunk.loadUnaligned(fromByteOffset: offset + 16, as: Int64.self))
  }
}

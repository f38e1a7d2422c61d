import SessionModel

/// The kinds of values of the format, each decoded and encoded again: for whoever examines the
/// decoders as such, on bytes that no state holds.
///
/// Decoding is canonical but for tombstones in chunks of headers: a value is refused unless
/// encoding gives its very bytes again.
package enum StoredValue: UInt8, CaseIterable, Sendable {
  // The raw values are those of `Checksum.Kind`.
  case job = 1
  case state, partition, outboxRow, late, rejected, dataChunk, headerChunk, segment, record
  case settings, date, bot, geography

  /// The key of a chunk or of a segment.
  private static func number(_ key: UnsafeRawBufferPointer) -> UInt64? {
    key.count == 8 ? key.loadUnaligned(as: UInt64.self) : nil
  }

  /// A value with a right checksum under its key.
  ///
  /// - Parameter content: all but the checksum, from the version byte on; of a chunk the used bytes
  ///   behind its head; of a record the packed bytes.
  package func sealed(_ content: [UInt8], key: UnsafeRawBufferPointer) -> [UInt8] {
    switch self {
    case .job, .state, .partition, .outboxRow, .late, .rejected, .settings, .date, .bot,
      .geography:
      var value = content
      SealedValue.seal(&value, seed: Checksum.seed(kind, key))
      return value
    case .segment:
      var value = content
      SealedValue.seal(&value, seed: Checksum.seed(kind, StoredValue.number(key) ?? 0))
      return value
    case .dataChunk, .headerChunk:
      return StoredValue.chunk(content, kind: kind, key: StoredValue.number(key) ?? 0)
    case .record:
      return StoredValue.chunk(
        StoredValue.envelope(content, chunk: StoredValue.number(key) ?? 0), kind: .dataChunk,
        key: StoredValue.number(key) ?? 0)
    }
  }

  private var kind: Checksum.Kind { Checksum.Kind(rawValue: UInt64(rawValue))! }

  private static let recordHash = KeyHash(high: 1, low: 2)

  private static func envelope(_ payload: [UInt8], chunk: UInt64) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: RecordEnvelope.byteCount + payload.count)
    bytes.withUnsafeMutableBytes { record in
      payload.withUnsafeBytes {
        RecordEnvelope.write(
          record, hash: recordHash, payload: $0, chunk: chunk, offset: Chunk.headBytes)
      }
    }
    return bytes
  }

  private static func chunk(_ content: [UInt8], kind: Checksum.Kind, key: UInt64) -> [UInt8] {
    let used = Chunk.headBytes + content.count
    var bytes = [UInt8](repeating: 0, count: Chunk.valueBytes(used: used))
    bytes.replaceSubrange(Chunk.headBytes..<used, with: content)
    bytes.withUnsafeMutableBytes { Chunk.seal($0, used: used, kind: kind, key: key) }
    return bytes
  }

  /// Decodes a value, and encodes what came out.
  ///
  /// - Returns: nil if the value is refused.
  package func recoded(
    _ value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer
  ) -> [UInt8]? {
    switch self {
    case .job: return JobRow(value: value)?.encoded
    case .state: return StateRow(value: value)?.encoded
    case .partition:
      return PartitionRow.decode(key: key, value: value).map { PartitionRow.encode($0).value }
    case .outboxRow: return StoredValue.recodedRow(value, key: key)
    case .late, .rejected:
      let output = self == .late ? SideOutput.late : .rejected
      return SideRow.decode(key: key, value: value, output: output).map {
        SideRow.encode($0, key: Array(key), output: output)
      }
    case .bot: return StoredValue.recodedBot(value, key: key)
    case .segment:
      return StoredValue.number(key).flatMap { SegmentRow(checkpoint: $0, value: value)?.encoded }
    case .dataChunk: return StoredValue.recodedData(value, key: key)
    case .headerChunk: return StoredValue.recodedHeaders(value, key: key)
    case .record: return StoredValue.recodedRecord(value, key: key)
    case .settings: return SettingsRow.decode(value).map(SettingsRow.encode)
    case .date:
      return DateRow.decode(key: key, value: value).map {
        DateRow.encode($0.totals, key: Array(key))
      }
    case .geography:
      return GeographyRow.decode(key: key, value: value).map(GeographyRow.encode)
    }
  }

  private static func recodedRow(
    _ value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer
  ) -> [UInt8]? {
    guard let content = OutboxRow.decode(key: key, value: value) else { return nil }
    var again: [UInt8] = []
    encodedAgain(content.row).withBytes {
      OutboxRow.encode($0, number: content.number, key: Array(key), into: &again)
    }
    return again
  }

  private static func recodedBot(
    _ value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer
  ) -> [UInt8]? {
    guard let row = BotRow.decode(key: key, value: value) else { return nil }
    var again: [UInt8] = []
    encodedAgain(row).withBytes { BotRow.encode($0, key: Array(key), into: &again) }
    return again
  }

  private static func encodedAgain(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    guard let row = SessionRow(bytes: bytes) else { preconditionFailure("just decoded") }
    var encoded: [UInt8] = []
    SessionRow.append(
      id: row.sessionID, start: row.sessionStart, end: row.sessionEnd,
      eventCount: row.eventCount, pages: row.pages, texts: { row[$0] }, to: &encoded)
    return encoded
  }
}

// MARK: - Chunks

extension StoredValue {
  /// Opens record by record, as their lengths in the chunk say.
  private static func recodedData(
    _ value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer
  ) -> [UInt8]? {
    guard let number = number(key), let used = Chunk.open(value, kind: .dataChunk, key: number)
    else { return nil }
    var content: [UInt8] = []
    var offset = Chunk.headBytes
    while offset < used.count {
      guard used.count - offset >= RecordEnvelope.byteCount else { return nil }
      let place = RecordPlace(
        chunk: number, offset: UInt32(offset),
        length: used.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self))
      let hash = KeyHash(
        high: used.loadUnaligned(fromByteOffset: offset + 12, as: UInt64.self),
        low: used.loadUnaligned(fromByteOffset: offset + 20, as: UInt64.self))
      guard let record = RecordEnvelope.open(value, place, hash: hash) else { return nil }
      var bytes = [UInt8](repeating: 0, count: Int(place.length))
      bytes.withUnsafeMutableBytes {
        RecordEnvelope.write($0, hash: hash, payload: record, chunk: number, offset: offset)
      }
      content += bytes
      offset += bytes.count
    }
    return chunk(content, kind: .dataChunk, key: number)
  }

  private static func recodedHeaders(
    _ value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer
  ) -> [UInt8]? {
    guard let number = number(key),
      let used = Chunk.open(value, kind: .headerChunk, key: number),
      (used.count - Chunk.headBytes) % HeaderChunk.entryBytes == 0
    else { return nil }
    var content = [UInt8](repeating: 0, count: used.count - Chunk.headBytes)
    content.withUnsafeMutableBytes { buffer in
      for offset in stride(from: 0, to: buffer.count, by: HeaderChunk.entryBytes) {
        let entry = HeaderChunk.entry(
          used, at: Chunk.headBytes + offset, checkpoint: number >> 16)
        HeaderChunk.write(entry, to: buffer, at: offset)
      }
    }
    return chunk(content, kind: .headerChunk, key: number)
  }

  private static func recodedRecord(
    _ value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer
  ) -> [UInt8]? {
    guard let number = number(key), let used = Chunk.used(value) else { return nil }
    let place = RecordPlace(
      chunk: number, offset: UInt32(Chunk.headBytes),
      length: UInt32(used.count - Chunk.headBytes))
    guard
      let record = RecordEnvelope.open(value, place, hash: recordHash)
        .flatMap({ SessionRecord(packed: $0) })
    else { return nil }
    var packed: [UInt8] = []
    record.append(to: &packed)
    return chunk(envelope(packed, chunk: number), kind: .dataChunk, key: number)
  }
}

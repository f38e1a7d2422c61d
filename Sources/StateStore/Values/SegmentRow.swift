import SessionModel

/// A row of `segments`: what one checkpoint put into the log of sessions.
struct SegmentRow {
  static let version: UInt8 = 1

  /// The key.
  var checkpoint: UInt64
  var entries: UInt32 = 0
  var tombstones: UInt32 = 0
  var dataChunks: UInt32 = 0
  var headerChunks: UInt32 = 0
  /// Bytes of the values in `data` and in `headers`.
  var dataBytes: UInt64 = 0
  var headerBytes: UInt64 = 0
  /// Keys with a record after this checkpoint, and the bytes of their records.
  var liveKeys: UInt64 = 0
  var liveBytes: UInt64 = 0
  var watermark: Microseconds = .never
  /// 257 places; empty without entries.
  var groupBegins: [UInt32] = []

  /// What the segment takes of the file: its chunks and this row.
  var logBytes: Int { Int(dataBytes + headerBytes) + SegmentRow.ownBytes }

  static let ownBytes = 1_200

  var encoded: [UInt8] {
    var bytes = [SegmentRow.version]
    for number in [entries, tombstones, dataChunks, headerChunks] {
      PackedText.append(number, to: &bytes)
    }
    for number in [dataBytes, headerBytes, liveKeys, liveBytes] {
      PackedText.append(number, to: &bytes)
    }
    PackedText.append(watermark, to: &bytes)
    for begin in groupBegins { PackedText.append(begin, to: &bytes) }
    SealedValue.seal(&bytes, seed: Checksum.seed(.segment, checkpoint))
    return bytes
  }

  init(checkpoint: UInt64) { self.checkpoint = checkpoint }

  /// - Returns: nil if the row is broken or its numbers do not fit each other.
  init?(checkpoint: UInt64, value: UnsafeRawBufferPointer) {
    let seed = Checksum.seed(.segment, checkpoint)
    guard let body = SealedValue.open(value, version: SegmentRow.version, seed: seed) else {
      return nil
    }
    var reader = PackedReader(body)
    self.checkpoint = checkpoint
    guard let entries = reader.integer(UInt32.self), let tombstones = reader.integer(UInt32.self),
      let dataChunks = reader.integer(UInt32.self),
      let headerChunks = reader.integer(UInt32.self),
      let dataBytes = reader.integer(UInt64.self), let headerBytes = reader.integer(UInt64.self),
      let liveKeys = reader.integer(UInt64.self), let liveBytes = reader.integer(UInt64.self),
      let watermark = reader.integer(Int64.self)
    else { return nil }
    self.entries = entries
    self.tombstones = tombstones
    self.dataChunks = dataChunks
    self.headerChunks = headerChunks
    self.dataBytes = dataBytes
    self.headerBytes = headerBytes
    self.liveKeys = liveKeys
    self.liveBytes = liveBytes
    self.watermark = watermark
    if entries > 0 {
      for _ in 0...HeaderChunk.groups {
        guard let begin = reader.integer(UInt32.self), begin >= groupBegins.last ?? 0 else {
          return nil
        }
        groupBegins.append(begin)
      }
      guard groupBegins.last == entries else { return nil }
    }
    guard reader.isAtEnd, isPossible else { return nil }
  }

  /// Whether the numbers fit each other and a file.
  private var isPossible: Bool {
    let chunks = (Int(entries) + HeaderChunk.entriesPerChunk - 1) / HeaderChunk.entriesPerChunk
    return tombstones <= entries && Int(headerChunks) == chunks
      && [dataBytes, headerBytes, liveBytes].allSatisfy { $0 <= ValueLimits.segmentBytes }
      && liveKeys <= ValueLimits.count && checkpoint <= ValueLimits.checkpoint
      && (Microseconds.never...(.latest + 1)).contains(watermark)
  }

  static func read(
    _ transaction: borrowing Transaction, checkpoint: UInt64
  ) throws(StateError) -> SegmentRow {
    guard let value = try transaction.get(.segments, checkpoint),
      let row = SegmentRow(checkpoint: checkpoint, value: value)
    else {
      throw StateError.damaged(
        transaction.environment.directory, "the row of segment \(checkpoint) is broken")
    }
    return row
  }
}

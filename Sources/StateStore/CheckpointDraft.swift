package import SessionModel

/// One checkpoint as it is gathered, to be handed over whole to the thread that commits it.
///
/// The rules of the log, which the gathering thread keeps:
///
/// - a key is appended at most once, as a record or as a tombstone;
/// - a tombstone is needed only for a key that has a record in an older segment;
/// - `rows` lie behind every row that ever entered the outbox, and `state` counts them as closed;
/// - so do `bots` behind every row of a bot, and `state` counts them as sessions of bots;
/// - `SegmentLedger.finish` is called last, once everything is in.
package final class CheckpointDraft: @unchecked Sendable {
  // Unchecked: one thread gathers, then lets go of it, then another commits.

  package let checkpoint: UInt64
  /// Rows entering the outbox, in order.
  package var rows = RowBatch()
  package var late: [SideRecord] = []
  package var rejected: [SideRecord] = []
  /// Rows of bots that are kept from the outbox, in order.
  package var bots = RowBatch()
  /// Entries of side outputs that are held elsewhere now: read from the state, and not removed before.
  package var removeSides: [SideBatch] = []
  /// What a geography service has said since the last checkpoint, at most `DraftLimits.answers`.
  package var geography: [AddressGeography] = []
  /// Answers from before this, wall clock, µs, are too old to be kept.
  package var oldestGeography: Microseconds = .never
  /// All else. The commit itself fills in `checkpoint`, `outboxRows`, `kept` and the counter
  /// `delivered`, and keeps `newestRow` and `removedUpTo` unless rows enter or leave.
  package var state = CheckpointState()
  /// Rows of the outbox up to here are removed; they count as delivered.
  package var removeOutboxUpTo: RowPosition?
  /// The oldest segments, which hold no live record; set by `SegmentLedger.finish`.
  package var dropSegments: [UInt64] = []
  /// Keys with a record, and the bytes of their records; set by `SegmentLedger.finish`.
  package var liveKeys: UInt64 = 0
  package var liveBytes: UInt64 = 0

  private(set) var entries: [HeaderEntry] = []
  private(set) var tombstones: UInt32 = 0
  /// Packed records, envelopes included.
  package private(set) var recordBytes = 0
  private(set) var chunks: [DraftChunk] = []

  /// - Parameters:
  ///   - checkpoint: one more than the last.
  ///   - expectedKeys: how many keys are likely to change; only saves time.
  package init(checkpoint: UInt64, expectedKeys: Int = 0) {
    self.checkpoint = checkpoint
    entries.reserveCapacity(expectedKeys)
  }

  deinit { for chunk in chunks { chunk.buffer.deallocate() } }

  /// Whether sessions or rows have reached the bound of one transaction (`DraftLimits`): commit
  /// now, and put what is left into the next one.
  package var isFull: Bool {
    recordBytes >= DraftLimits.recordBytes || entries.count >= DraftLimits.keys
      || rowCount >= DraftLimits.rows
      || rows.bytes.count + bots.bytes.count >= DraftLimits.rowBytes
      || late.count + rejected.count >= DraftLimits.sideRecords
  }

  /// Rows so far, those of bots too.
  package var rowCount: Int { rows.count + bots.count }

  /// Records and tombstones so far.
  package var keyCount: Int { entries.count }

  /// Bytes that the segment will take in the file, but for rounding.
  var logBytes: Int {
    let values = chunks.reduce(0) { $0 + Chunk.valueBytes(used: $1.used) }
    let headerChunks = entries.count / HeaderChunk.entriesPerChunk
    let rest = entries.count % HeaderChunk.entriesPerChunk
    let restBytes =
      rest == 0 ? 0 : Chunk.valueBytes(used: Chunk.headBytes + rest * HeaderChunk.entryBytes)
    return values + headerChunks * Chunk.fullBytes + restBytes + SegmentRow.ownBytes
  }

  /// Copies one key's packed `SessionRecord` into the checkpoint.
  ///
  /// - Parameter leastLast: the least `last` event time among the key's sessions, µs.
  /// - Returns: where it will stand once the checkpoint is committed; not readable before.
  package func append(
    hash: KeyHash, payload: UnsafeRawBufferPointer, leastLast: Microseconds
  ) -> RecordPlace {
    let length = RecordEnvelope.byteCount + payload.count
    let index = chunk(for: length)
    let offset = chunks[index].used
    let key = Chunk.key(checkpoint: checkpoint, number: index)
    RecordEnvelope.write(
      UnsafeMutableRawBufferPointer(rebasing: chunks[index].buffer[offset..<(offset + length)]),
      hash: hash, payload: payload, chunk: key, offset: offset)
    chunks[index].used += length
    recordBytes += length
    let place = RecordPlace(chunk: key, offset: UInt32(offset), length: UInt32(length))
    entries.append(HeaderEntry(hash: hash, place: place, leastLast: leastLast))
    return place
  }

  /// Notes that a key which has a record in an older segment has none any more.
  package func appendTombstone(hash: KeyHash) {
    entries.append(HeaderEntry(hash: hash, place: .none, leastLast: 0))
    tombstones += 1
  }

  /// The number of a chunk with room; a record too large for any gets one of its own size.
  private func chunk(for length: Int) -> Int {
    if length > Chunk.roomBytes {
      return addChunk(byteCount: Chunk.valueBytes(used: Chunk.headBytes + length))
    }
    if openChunk < 0 || chunks[openChunk].used + length > Chunk.fullBytes {
      openChunk = addChunk(byteCount: Chunk.fullBytes)
    }
    return openChunk
  }

  /// The chunk that is being filled; -1 for none.
  private var openChunk = -1

  private func addChunk(byteCount: Int) -> Int {
    precondition(chunks.count < 1 << 16, "a checkpoint is bounded by DraftLimits")
    chunks.append(DraftChunk(byteCount: byteCount))
    return chunks.count - 1
  }

  /// Seals every chunk and calls `body` with each in order of its key.
  func forEachSealedChunk(
    _ body: (UInt64, UnsafeRawBufferPointer) throws(StateError) -> Void
  ) throws(StateError) {
    for (number, chunk) in chunks.enumerated() {
      let key = Chunk.key(checkpoint: checkpoint, number: number)
      let value = UnsafeMutableRawBufferPointer(
        rebasing: chunk.buffer[..<Chunk.valueBytes(used: chunk.used)])
      // What the allocator left behind the records does not belong on a disk.
      UnsafeMutableRawBufferPointer(rebasing: value[chunk.used...])
        .initializeMemory(as: UInt8.self, repeating: 0)
      Chunk.seal(value, used: chunk.used, kind: .dataChunk, key: key)
      try body(key, UnsafeRawBufferPointer(value))
    }
  }
}

/// A chunk of records under construction.
struct DraftChunk {
  let buffer: UnsafeMutableRawBufferPointer
  var used = Chunk.headBytes

  init(byteCount: Int) {
    buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
  }
}

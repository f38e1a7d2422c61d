import SessionModel

/// The header log of one snapshot: the chunks of every segment, newest first, each checked once.
///
/// It points into the transaction's pages and must not outlive it.
struct HeaderLog {
  /// What one checkpoint wrote of it.
  struct Segment {
    private let row: SegmentRow
    private let directory: String
    /// Used bytes, heads included; empty for those outside the groups asked for.
    private var chunks: [UnsafeRawBufferPointer] = []

    /// - Throws: `.corrupt` if a chunk with entries of the groups is missing or broken.
    init(
      _ row: SegmentRow, _ transaction: borrowing Transaction,
      groups: Range<Int> = 0..<HeaderChunk.groups
    ) throws(StateError) {
      self.row = row
      directory = transaction.environment.directory
      let entries = indices(of: groups)
      if entries.isEmpty { return }
      chunks = Array(repeating: UnsafeRawBufferPointer(start: nil, count: 0), count: chunkCount)
      let last = (entries.upperBound - 1) / HeaderChunk.entriesPerChunk
      for number in entries.lowerBound / HeaderChunk.entriesPerChunk...last {
        chunks[number] = try open(number, transaction)
      }
    }

    private var chunkCount: Int {
      (Int(row.entries) + HeaderChunk.entriesPerChunk - 1) / HeaderChunk.entriesPerChunk
    }

    private func indices(of groups: Range<Int>) -> Range<Int> {
      if row.entries == 0 { return 0..<0 }
      return Int(row.groupBegins[groups.lowerBound])..<Int(row.groupBegins[groups.upperBound])
    }

    private func open(
      _ number: Int, _ transaction: borrowing Transaction
    ) throws(StateError) -> UnsafeRawBufferPointer {
      let key = Chunk.key(checkpoint: row.checkpoint, number: number)
      let begin = number * HeaderChunk.entriesPerChunk
      let entries = min(Int(row.entries) - begin, HeaderChunk.entriesPerChunk)
      guard let value = try transaction.get(.headers, key),
        let chunk = Chunk.open(value, kind: .headerChunk, key: key),
        chunk.count == Chunk.headBytes + entries * HeaderChunk.entryBytes
      else {
        throw StateError.damaged(
          directory, "chunk \(number) of the headers of checkpoint \(row.checkpoint) is broken")
      }
      return chunk
    }

    /// Calls `body` with the entries of the groups, which must be among those opened.
    ///
    /// - Throws: `.corrupt` if an entry lies in a wrong group.
    @inline(__always)
    func forEachEntry(
      inGroups groups: Range<Int> = 0..<HeaderChunk.groups, _ body: (HeaderEntry) -> Void
    ) throws(StateError) {
      for index in indices(of: groups) {
        let (number, place) = index.quotientAndRemainder(dividingBy: HeaderChunk.entriesPerChunk)
        let entry = HeaderChunk.entry(
          chunks[number], at: Chunk.headBytes + place * HeaderChunk.entryBytes,
          checkpoint: row.checkpoint)
        guard groups.contains(entry.hash.group) else {
          throw StateError.damaged(
            directory, "an entry of checkpoint \(row.checkpoint) lies in a wrong group")
        }
        body(entry)
      }
    }
  }

  private var segments: [Segment] = []

  /// - Throws: `.corrupt` if a segment, or a chunk with entries of the groups, is missing or broken.
  init(
    _ transaction: borrowing Transaction, groups: Range<Int> = 0..<HeaderChunk.groups
  ) throws(StateError) {
    var cursor = try transaction.cursor(.segments)
    var found = try cursor.last()
    while found {
      let row = try SegmentRow.under(cursor, transaction.environment.directory)
      segments.append(try Segment(row, transaction, groups: groups))
      found = try cursor.previous()
    }
  }

  /// Calls `body` with the entries of one group, newest segment to oldest, a segment's in any order:
  /// the first entry of a key decides.
  ///
  /// - Throws: `.corrupt` if an entry lies in a wrong group.
  @inline(__always)
  func forEachEntry(inGroup group: Int, _ body: (HeaderEntry) -> Void) throws(StateError) {
    for segment in segments { try segment.forEachEntry(inGroups: group..<(group + 1), body) }
  }
}

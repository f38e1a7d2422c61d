import SessionModel

/// How many chunks a segment has: what dropping it needs to know.
struct SegmentSize {
  var dataChunks: Int
  var headerChunks: Int

  init(_ row: SegmentRow) {
    dataChunks = Int(row.dataChunks)
    headerChunks = Int(row.headerChunks)
  }
}

/// One checkpoint's transaction. Its results are valid once `run` has returned.
struct CheckpointCommit {
  let draft: CheckpointDraft
  let options: StateOptions
  /// The last checkpoint's row, then this one's.
  var row: StateRow
  var segments: [SegmentSize]
  /// What the rows of `partitions` hold: only changed ones are written.
  var partitions: [Int32: (progress: PartitionProgress, checksum: UInt64)]

  mutating func run(in environment: Environment) throws(StateError) {
    try requireOrder()
    try makeRoom(environment.directory)
    try environment.write(writing: bytesToWrite) { (transaction) throws(StateError) in
      var removed: RowPosition?
      for step in CommitStep.allCases {
        try options.beforeStep?(step, draft.checkpoint)
        switch step {
        case .dropSegments: try dropSegments(transaction)
        case .writeSegment: try writeSegment(transaction)
        case .removeRows: removed = try removeRows(transaction)
        case .appendRows: try appendRows(transaction)
        case .putSideEntries: try putSideEntries(transaction)
        case .putGeography:
          try GeographyRow.add(
            draft.geography, oldest: draft.oldestGeography, limit: options.geographyRows,
            transaction)
        case .putState: try putState(transaction, removed: removed)
        case .commit: break
        }
      }
    }
  }

  /// About what the transaction writes, for `Environment.write`.
  private var bytesToWrite: Int {
    let sides = SideOutput.allCases.reduce(0) { $0 + Int(added(to: $1).bytes) }
    return draft.logBytes + draft.rows.bytes.count + draft.rowCount * 128 + sides
      + draft.geography.count * GeographyRow.likelyBytes
  }

  /// The rules that the gathering thread must keep.
  private func requireOrder() throws(StateError) {
    let last = row.state.checkpoint
    guard draft.checkpoint == last + 1 else {
      throw StateError.wrongUse("checkpoint \(draft.checkpoint) follows \(last)")
    }
    for (index, segment) in draft.dropSegments.enumerated() {
      guard segment == row.oldestSegment + UInt64(index), segment <= last else {
        throw StateError.wrongUse("segment \(segment) is not the oldest")
      }
    }
    let (before, counters) = (row.state.counters, draft.state.counters)
    for (counted, known, rows) in [
      (counters.sessionsClosed, before.sessionsClosed, draft.rows),
      (counters.botSessions, before.botSessions, draft.bots),
    ] where counted != known + UInt64(rows.count) {
      throw StateError.wrongUse(
        "\(counted) sessions counted are not the \(known) before and \(rows.count) new rows")
    }
    if let first = draft.rows.firstPosition, let newest = row.state.newestRow, first <= newest {
      throw StateError.wrongUse("row \(first) enters the outbox behind row \(newest)")
    }
  }

  private mutating func dropSegments(_ transaction: borrowing Transaction) throws(StateError) {
    for (checkpoint, size) in zip(draft.dropSegments, segments) {
      for (database, count) in [(Database.data, size.dataChunks), (.headers, size.headerChunks)] {
        for number in 0..<count {
          let key = Chunk.key(checkpoint: checkpoint, number: number)
          guard try transaction.delete(database, key) else {
            throw StateError.damaged(
              transaction.environment.directory,
              "chunk \(number) of '\(database.name)' of checkpoint \(checkpoint) is missing")
          }
        }
      }
      try transaction.delete(.segments, checkpoint)
    }
    segments.removeFirst(draft.dropSegments.count)
    row.oldestSegment += UInt64(draft.dropSegments.count)
  }

  private mutating func writeSegment(_ transaction: borrowing Transaction) throws(StateError) {
    var segment = SegmentRow(checkpoint: draft.checkpoint)
    let entries = draft.entries
    segment.entries = UInt32(entries.count)
    segment.tombstones = draft.tombstones
    segment.liveKeys = draft.liveKeys
    segment.liveBytes = draft.liveBytes
    segment.watermark = draft.state.watermark
    try draft.forEachSealedChunk { (key, value) throws(StateError) in
      try transaction.put(.data, key, value, .appending)
      segment.dataChunks += 1
      segment.dataBytes += UInt64(value.count)
    }
    if !entries.isEmpty {
      segment.groupBegins = HeaderChunk.groupBegins(entries)
      try HeaderChunk.pack(
        entries, begins: segment.groupBegins, checkpoint: draft.checkpoint
      ) { (key, value) throws(StateError) in
        try transaction.put(.headers, key, value, .appending)
        segment.headerChunks += 1
        segment.headerBytes += UInt64(value.count)
      }
    }
    try segment.encoded.withBytes { (value) throws(StateError) in
      try transaction.put(.segments, draft.checkpoint, value, .appending)
    }
    segments.append(SegmentSize(segment))
  }

  /// - Returns: the last row removed.
  private func removeRows(
    _ transaction: borrowing Transaction
  ) throws(StateError) -> RowPosition? {
    guard let last = draft.removeOutboxUpTo else { return nil }
    var removed: RowPosition?
    var cursor = try transaction.cursor(.outbox)
    while try cursor.next() {
      guard cursor.key.count == RowPosition.byteCount else {
        throw StateError.damaged(
          transaction.environment.directory, "a row of the outbox has a broken key")
      }
      let position = RowPosition(bytes: cursor.key)
      if position > last { break }
      try cursor.delete()
      removed = position
    }
    return removed
  }

  private func appendRows(_ transaction: borrowing Transaction) throws(StateError) {
    var value: [UInt8] = []
    var number = row.state.counters.sessionsClosed
    var dates: [UInt32: RowTotals] = [:]
    try draft.rows.forEachEncoded { (bytes) throws(StateError) in
      guard let row = SessionRow(bytes: bytes) else {
        throw StateError.wrongUse("a row for the outbox is not encoded as rows are")
      }
      number += 1
      let key = row.position.key
      OutboxRow.encode(bytes, number: number, key: key, into: &value)
      try transaction.put(.outbox, key, value, .appending)
      dates[row.sessionDay, default: RowTotals()].add(RowDigest(row))
    }
    for (date, totals) in dates { try DateRow.add(totals, to: date, transaction) }
  }

  private mutating func putState(
    _ transaction: borrowing Transaction, removed: RowPosition?
  ) throws(StateError) {
    let last = row.state
    row.state = draft.state
    row.state.kept = last.kept
    row.state.partitions.sort { $0.partition < $1.partition }
    row.state.checkpoint = draft.checkpoint
    row.state.newestRow = draft.rows.lastPosition ?? last.newestRow
    row.state.removedUpTo = removed ?? last.removedUpTo
    row.state.outboxRows = try transaction.count(.outbox)
    guard row.state.counters.sessionsClosed >= row.state.outboxRows else {
      throw StateError.damaged(
        transaction.environment.directory, "the outbox has more rows than ever entered it")
    }
    row.state.counters.delivered = row.state.counters.sessionsClosed - row.state.outboxRows
    try putPartitions(transaction)
    if row.state.settings != last.settings {
      let settings = SettingsRow.encode(row.state.settings)
      try transaction.put(.state, Array(SettingsRow.key.utf8), settings, .replacing)
    }
    try transaction.put(.state, Array(StateRow.key.utf8), row.encoded, .replacing)
  }

  private mutating func putPartitions(_ transaction: borrowing Transaction) throws(StateError) {
    var gone = partitions
    var sum: UInt64 = 0
    for progress in row.state.partitions {
      if let known = gone.removeValue(forKey: progress.partition), known.progress == progress {
        sum &+= known.checksum
        continue
      }
      let (value, checksum) = PartitionRow.encode(progress)
      try transaction.put(.partitions, PartitionRow.key(progress.partition), value, .replacing)
      partitions[progress.partition] = (progress, checksum)
      sum &+= checksum
    }
    for partition in gone.keys {
      try PartitionRow.key(partition).withBytes { (key) throws(StateError) in
        _ = try transaction.delete(.partitions, key)
      }
      partitions[partition] = nil
    }
    row.partitionCount = UInt32(row.state.partitions.count)
    row.partitionSum = sum
  }
}

import SessionModel

/// What checking every byte of a state has found.
package struct StateExamination: Sendable {
  package var state = CheckpointState()
  /// Keys with open or closing sessions, and these sessions.
  package var keys: UInt64 = 0
  package var sessions: UInt64 = 0
  /// Segments of the log of sessions.
  package var segments = 0
  /// Of the file: all, and those that are free.
  package var pages: UInt64 = 0
  package var freePages: UInt64 = 0
  package var pageBytes = 0
  /// In words; empty for a sound state.
  package var problems: [String] = []
}

extension StateReader {
  /// Checks every byte of a state that nobody writes to, and how its parts fit each other.
  ///
  /// It holds one snapshot to its end. Checked are: all pages as at every open; all checksums; the
  /// newest segment is the checkpoint's; each entry lies in its group and points to a record with
  /// the same hash and time inside one chunk; a key stands at most once in a segment; every record
  /// has an entry, every chunk a segment; live keys, totals and counters are as the checkpoint
  /// says; pages in use and free pages make up the file.
  ///
  /// - Throws: `.corrupt` where the damage keeps the rest from being read; `.inputOutput`.
  package func examine() throws(StateError) -> StateExamination {
    try environment.read { (transaction) throws(StateError) in
      var verification = Verification(directory: directory)
      try verification.run(transaction)
      return verification.examination
    }
  }

  /// - Returns: what is wrong, in words; empty for a sound state.
  /// - Throws: `.inputOutput`.
  package func verify() throws(StateError) -> [String] {
    do throws(StateError) { return try examine().problems } catch {
      if case .corrupt(let message) = error { return [message] }
      throw error
    }
  }
}

/// One walk over a snapshot.
private struct Verification {
  let directory: String
  private(set) var examination = StateExamination()
  private var seen: Set<KeyHash> = []
  private var liveKeys: UInt64 = 0
  private var liveBytes: UInt64 = 0

  init(directory: String) { self.directory = directory }

  mutating func require(_ condition: Bool, _ problem: @autoclosure () -> String) {
    if !condition, examination.problems.count < 100 { examination.problems.append(problem()) }
  }

  mutating func run(_ transaction: borrowing Transaction) throws(StateError) {
    _ = try JobRow.read(transaction)
    let row = try StateRow.read(transaction)
    let segments = try SegmentRow.readAll(transaction, belongingTo: row)
    try row.requireCounts(transaction, segments: segments)
    for segment in segments.reversed() { try check(segment, transaction) }
    let (liveKeys, liveBytes) = (liveKeys, liveBytes)
    require(
      segments.last.map { $0.liveKeys == liveKeys && $0.liveBytes == liveBytes } ?? true,
      "the log holds \(liveKeys) live keys of \(liveBytes) bytes, the newest segment differs")
    try checkOutbox(row, transaction)
    for output in SideOutput.allCases {
      try checkSide(output, row.state.kept[output], transaction)
    }
    try checkGeography(transaction)
    let counters = row.state.counters
    require(
      counters.sessionsClosed == counters.delivered + row.state.outboxRows,
      "sessions closed are not those delivered and those in the outbox")
    try checkPages(transaction)
    examination.state = row.state
    examination.keys = liveKeys
    examination.segments = segments.count
  }

  private mutating func checkPages(_ transaction: borrowing Transaction) throws(StateError) {
    let use = try transaction.environment.checkPages(of: transaction)
    require(
      use.unowned == 0, "\(use.unowned) of \(use.pages) pages are neither in use nor free")
    examination.pages = use.pages
    examination.freePages = use.free
    examination.pageBytes = transaction.environment.pageSize
  }

  private mutating func check(
    _ segment: SegmentRow, _ transaction: borrowing Transaction
  ) throws(StateError) {
    let name = "segment \(segment.checkpoint)"
    var entries: [HeaderEntry] = []
    try HeaderLog.Segment(segment, transaction).forEachEntry { entries.append($0) }
    require(
      entries.count { $0.place.isNone } == Int(segment.tombstones),
      "\(name) has another number of tombstones")
    require(Set(entries.map(\.hash)).count == entries.count, "\(name) names a key twice")

    var usedBytes = [Int](repeating: 0, count: Int(segment.dataChunks))
    for entry in entries {
      let isNewest = seen.insert(entry.hash).inserted
      if entry.place.isNone { continue }
      let number = Int(entry.place.chunk & 0xFFFF)
      if number < usedBytes.count { usedBytes[number] += Int(entry.place.length) }
      let sessions = try check(entry, transaction)
      if isNewest {
        liveKeys += 1
        liveBytes += UInt64(entry.place.length)
        examination.sessions += UInt64(sessions)
      }
    }
    var dataBytes: UInt64 = 0
    for number in 0..<Int(segment.dataChunks) {
      let key = Chunk.key(checkpoint: segment.checkpoint, number: number)
      let value = try transaction.get(.data, key)
      let used = value.flatMap { Chunk.open($0, kind: .dataChunk, key: key)?.count }
      require(
        used == usedBytes[number] + Chunk.headBytes,
        "chunk \(number) of \(name) is broken, or holds records without an entry")
      dataBytes += UInt64(value?.count ?? 0)
    }
    require(dataBytes == segment.dataBytes, "\(name) has another number of data bytes")
  }

  /// - Returns: how many sessions the record holds.
  private mutating func check(
    _ entry: HeaderEntry, _ transaction: borrowing Transaction
  ) throws(StateError) -> Int {
    let record = try transaction.get(.data, entry.place.chunk)
      .flatMap { RecordEnvelope.open($0, entry.place, hash: entry.hash) }
      .flatMap { SessionRecord(packed: $0) }
    guard let record else {
      require(false, "the record at \(entry.place) is missing or broken")
      return 0
    }
    require(
      record.sessions.map(\.last.time).min() == entry.leastLast,
      "the entry of the record at \(entry.place) has another time")
    return record.sessions.count
  }

  private mutating func checkOutbox(
    _ row: StateRow, _ transaction: borrowing Transaction
  ) throws(StateError) {
    var cursor = try transaction.cursor(.outbox)
    var last: RowPosition?
    var number = row.state.counters.delivered
    while try cursor.next() {
      number += 1
      guard OutboxRow.decode(key: cursor.key, value: cursor.value)?.number == number else {
        require(false, "row \(OutboxRow.describe(cursor.key)) of the outbox is broken or missing")
        continue
      }
      last = RowPosition(bytes: cursor.key)
      require(
        row.state.removedUpTo.map { $0 < last! } ?? true,
        "row \(last!) is in the outbox, but counts as removed")
    }
    require(
      number == row.state.counters.sessionsClosed, "rows at the end of the outbox are missing")
    require(
      last == nil || last == row.state.newestRow, "the newest row is not the checkpoint's")
  }

  private mutating func checkSide(
    _ output: SideOutput, _ totals: SideTotals, _ transaction: borrowing Transaction
  ) throws(StateError) {
    var found = SideTotals()
    var cursor = try transaction.cursor(output.database)
    while try cursor.next() {
      let entry = output.decode(key: cursor.key, value: cursor.value)
      require(entry != nil, "a row of '\(output.rawValue)' is broken")
      found.rows += 1
      found.bytes += UInt64(cursor.key.count + cursor.value.count)
    }
    require(found == totals, "'\(output.rawValue)' holds \(found), the checkpoint says \(totals)")
  }

  private mutating func checkGeography(_ transaction: borrowing Transaction) throws(StateError) {
    var cursor = try transaction.cursor(.geography)
    while try cursor.next() {
      let answer = GeographyRow.decode(key: cursor.key, value: cursor.value)
      require(answer != nil, "a row of 'geography' is broken")
    }
  }
}

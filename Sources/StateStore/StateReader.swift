import Platform
package import SessionModel

/// Reads a state beside the process that runs on it, or a state that nobody runs on.
///
/// It creates and changes nothing, and never blocks the writer. It reads in slices: each takes a
/// snapshot, copies a bounded number of entries, lets go of the snapshot and only then gives them
/// out, so that a slow consumer keeps no old pages alive. Slices may thus be of different
/// checkpoints; each method says what that means.
package final class StateReader: Sendable {
  package let directory: String
  package let identity: JobIdentity
  /// Seed of the key hash.
  package let hashSeed: (UInt64, UInt64)
  /// When the state was made, wall clock, µs since 1970.
  package let createdAt: Microseconds
  let environment: Environment

  /// Rows and bytes of one slice, whichever comes first.
  static let sliceRows = 1_000
  static let sliceBytes = 1 << 20

  /// - Throws: `.missing` if the directory holds no state; `.foreign` for a newer format;
  ///   `.corrupt`, `.inputOutput`.
  package static func open(directory: String) throws(StateError) -> StateReader {
    try requireState(directory)
    return try StateReader(
      environment: try StateFiles.openEnvironment(directory, access: .reader))
  }

  init(environment: Environment) throws(StateError) {
    let job = try environment.read { (transaction) throws(StateError) in
      try JobRow.read(transaction)
    }
    self.environment = environment
    directory = environment.directory
    identity = job.identity
    hashSeed = job.hashSeed
    createdAt = job.createdAt
  }

  static func requireState(_ directory: String) throws(StateError) {
    if try StateFiles.hasState(in: directory) { return }
    throw StateError.missing(
      """
      there is no state in '\(directory)'. Nothing was made there. Name the directory of a run \
      with --state.
      """)
  }

  /// What a summary shows, all of one checkpoint.
  package struct Summary: Sendable {
    package var state: CheckpointState
    /// Checkpoints whose records the log still holds, its bytes, and those of live records.
    package var segments: Int
    package var logBytes: Int
    package var liveBytes: Int
    /// Answers of a geography service.
    package var geographyRows: UInt64
  }

  /// - Throws: `.corrupt`, also where the databases do not hold what the checkpoint says.
  package func summary() throws(StateError) -> Summary {
    try environment.read { (transaction) throws(StateError) in
      let row = try StateRow.read(transaction)
      let segments = try SegmentRow.readAll(transaction, belongingTo: row)
      try row.requireCounts(transaction, segments: segments)
      return Summary(
        state: row.state, segments: segments.count,
        logBytes: segments.reduce(0) { $0 + $1.logBytes },
        liveBytes: Int(segments.last?.liveBytes ?? 0),
        geographyRows: try transaction.count(.geography))
    }
  }

  /// Calls `body` with each row of the outbox, in order, until it answers false. Rows that leave
  /// the outbox meanwhile are passed over; no row comes twice.
  package func forEachOutboxRow(_ body: (SessionRow) -> Bool) throws(StateError) {
    var position: RowPosition?
    while true {
      var batch = RowBatch()
      try environment.read { (transaction) throws(StateError) in
        try OutboxRow.read(
          transaction, after: position, maxRows: StateReader.sliceRows,
          maxBytes: StateReader.sliceBytes, into: &batch)
      }
      guard let last = batch.lastPosition else { return }
      position = last
      do throws(Stop) {
        try batch.forEachEncoded { (bytes) throws(Stop) in
          guard let row = SessionRow(bytes: bytes), body(row) else { throw Stop() }
        }
      } catch {
        return
      }
    }
  }

  private struct Stop: Error {}

  /// Calls `body` with each entry of a side output, records by partition and offset, rows by their
  /// position, until it answers false. Entries that come meanwhile are given where they lie ahead.
  package func forEachEntry(
    of output: SideOutput, _ body: (SideEntry) -> Bool
  ) throws(StateError) {
    var last: [UInt8] = []
    while true {
      let slice = try sideSlice(output, after: &last)
      if slice.isEmpty { return }
      for entry in slice where !body(entry) { return }
    }
  }

  private func sideSlice(
    _ output: SideOutput, after last: inout [UInt8]
  ) throws(StateError) -> [SideEntry] {
    var slice: [SideEntry] = []
    var bytes = 0
    var key = last
    try environment.read { (transaction) throws(StateError) in
      var cursor = try transaction.cursor(output.database)
      var found =
        key.isEmpty
        ? try cursor.first()
        : try key.withBytes { (key) throws(StateError) in try cursor.seek(key) }
      if found, cursor.key.elementsEqual(key) { found = try cursor.next() }
      while found, slice.count < StateReader.sliceRows, bytes < StateReader.sliceBytes {
        guard let entry = output.decode(key: cursor.key, value: cursor.value) else {
          throw StateError.damaged(directory, "a row of '\(output.rawValue)' is broken")
        }
        slice.append(entry)
        bytes += cursor.value.count
        key = Array(cursor.key)
        found = try cursor.next()
      }
    }
    last = key
    return slice
  }

  /// Writes a compact copy of the newest checkpoint: a `data.mdb` of its own.
  ///
  /// It holds one snapshot to its end, so beside a running process the state grows meanwhile.
  ///
  /// - Parameter file: must not be there yet.
  /// - Throws: `.inputOutput`; then `file` is of no use.
  package func copy(to file: String) throws(StateError) {
    try environment.copy(to: file)
  }

  /// Removes all entries of a side output, to make room. The counters stay.
  ///
  /// - Returns: what was removed.
  /// - Throws: `.locked` if a process runs on the state; `.missing`, `.corrupt`, `.inputOutput`.
  ///   Nothing was removed then.
  @discardableResult
  package static func purge(
    _ output: SideOutput, directory: String
  ) throws(StateError) -> SideTotals {
    try requireState(directory)
    let lock = try StateLock.take(directory: directory)
    defer { _ = lock }
    let environment = try StateFiles.openEnvironment(directory, access: .owner)
    return try environment.write(writing: 0) { (transaction) throws(StateError) in
      _ = try JobRow.read(transaction)
      var row = try StateRow.read(transaction)
      let removed = row.state.kept[output]
      try transaction.deleteAll(output.database)
      row.state.kept[output] = SideTotals()
      try transaction.put(.state, Array(StateRow.key.utf8), row.encoded, .replacing)
      return removed
    }
  }
}

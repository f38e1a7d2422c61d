import Glibc
import Platform
package import SessionModel

/// What opening finds, checked.
struct OpenedState {
  let environment: Environment
  let job: JobRow
  let row: StateRow
  /// Oldest first.
  let segments: [SegmentRow]
}

extension StateStore {
  /// Opens the state in a directory, or makes a new one there, for as long as the process lives.
  ///
  /// - Parameter identity: what the state must belong to.
  /// - Throws: `.locked`, `.foreign`, `.corrupt`, `.inputOutput`. A state that was there is then
  ///   unchanged.
  package static func open(
    directory: String, identity: JobIdentity, options: StateOptions = StateOptions()
  ) throws(StateError) -> StateStore {
    do throws(SystemError) {
      try Files.makeDirectory(directory, mode: EnvironmentLimits.directoryMode)
    } catch {
      if error.isOfDisk { throw StateError.system(error, directory: directory) }
      throw StateError.locked(
        """
        the state directory '\(directory)' cannot be made (\(error)). Nothing was changed. Make \
        it, or name another one with --state.
        """)
    }
    let lock = try StateLock.take(directory: directory)
    if try !StateFiles.hasState(in: directory) {
      try StateFiles.create(in: directory, identity: identity)
    }
    let environment = try StateFiles.openEnvironment(
      directory, access: .owner, mapBytes: options.mapBytes)
    try environment.clearDeadReaders()
    let opened = try environment.read { (transaction) throws(StateError) in
      try OpenedState(transaction, identity: identity)
    }
    return try StateStore(opened, lock: lock, options: options)
  }
}

extension OpenedState {
  /// Reads and checks what every checkpoint holds besides sessions, rows and side outputs.
  fileprivate init(
    _ transaction: borrowing Transaction, identity: JobIdentity
  ) throws(StateError) {
    environment = transaction.environment
    job = try JobRow.read(transaction)
    try job.requireSame(identity, directory: environment.directory)
    row = try StateRow.read(transaction)
    segments = try SegmentRow.readAll(transaction, belongingTo: row)
    try row.requireCounts(transaction, segments: segments)
  }
}

/// The files of a state directory.
enum StateFiles {
  static func data(_ directory: String) -> String { directory + "/data.mdb" }

  /// Whether there is a state. An error might hide one, and a new one must not take its place.
  ///
  /// - Throws: `.inputOutput` where that cannot be told.
  static func hasState(in directory: String) throws(StateError) -> Bool {
    if Files.exists(data(directory)) { return true }
    let error = SystemError("access", data(directory))
    if error.code == ENOENT || error.code == ENOTDIR { return false }
    throw StateError.system(error, directory: directory)
  }

  /// Makes a new state aside and renames it into place, so that a `data.mdb` is always whole.
  ///
  /// - Throws: `.inputOutput`; no state is there then.
  static func create(in directory: String, identity: JobIdentity) throws(StateError) {
    let aside = directory + "/data.mdb.new"
    if Files.exists(aside) { unlink(aside) }
    do {
      let environment = try Environment.create(file: aside, directory: directory)
      try environment.openDatabases(creating: true)
      let seed = randomBytes(16).withBytes {
        ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      }
      let job = JobRow(identity: identity, hashSeed: seed, createdAt: Clock.wall)
      try environment.write(writing: 0) { (transaction) throws(StateError) in
        try transaction.put(.job, Array(JobRow.key.utf8), job.encoded, .inserting)
        try transaction.put(.state, Array(StateRow.key.utf8), StateRow().encoded, .inserting)
      }
    }
    do throws(SystemError) {
      try Files.rename(aside, to: data(directory))
      try Files.synchronizeDirectory(directory)
    } catch {
      throw StateError.system(error, directory: directory)
    }
  }

  /// Checks the file's length and meta pages, maps it, walks all its pages, and only then lets
  /// LMDB follow them.
  static func openEnvironment(
    _ directory: String, access: Environment.Access, mapBytes: Int = EnvironmentLimits.mapBytes
  ) throws(StateError) -> Environment {
    let beside = access != .owner
    try MetaPages.check(data(directory), directory: directory, beside: beside)
    let environment = try Environment.open(
      directory: directory, access: access, mapBytes: mapBytes)
    if access == .wholeReader { posix_fadvise(environment.descriptor, 0, 0, POSIX_FADV_WILLNEED) }
    try environment.checkPages(beside: beside)
    try environment.openDatabases(creating: false)
    return environment
  }
}

extension SegmentRow {
  /// The row under a cursor of `segments`.
  static func under(
    _ cursor: borrowing Cursor, _ directory: String
  ) throws(StateError) -> SegmentRow {
    guard cursor.key.count == 8 else {
      throw StateError.damaged(directory, "a key of 'segments' has \(cursor.key.count) bytes")
    }
    let checkpoint = cursor.key.loadUnaligned(as: UInt64.self)
    guard let row = SegmentRow(checkpoint: checkpoint, value: cursor.value) else {
      throw StateError.damaged(directory, "the row of segment \(checkpoint) is broken")
    }
    return row
  }

  /// Every segment's row, oldest first.
  ///
  /// - Throws: `.corrupt` unless they are the segments of the checkpoint, without a hole.
  static func readAll(
    _ transaction: borrowing Transaction, belongingTo state: StateRow
  ) throws(StateError) -> [SegmentRow] {
    let directory = transaction.environment.directory
    var rows: [SegmentRow] = []
    var expected = state.oldestSegment
    var cursor = try transaction.cursor(.segments)
    while try cursor.next() {
      let row = try under(cursor, directory)
      guard row.checkpoint == expected else {
        throw StateError.damaged(
          directory, "segment \(expected) is missing: the next is \(row.checkpoint)")
      }
      expected += 1
      rows.append(row)
    }
    guard expected == state.state.checkpoint + 1 else {
      throw StateError.damaged(
        directory,
        "the newest segment is \(expected - 1), but the checkpoint is \(state.state.checkpoint)")
    }
    // The table of sessions is sized by it.
    let entries = rows.reduce(0) { $0 + UInt64($1.entries) }
    guard rows.last.map({ $0.liveKeys <= entries }) ?? true else {
      throw StateError.damaged(
        directory, "the newest segment counts more keys than all segments have entries")
    }
    return rows
  }
}

extension StateRow {
  /// Compares what the row says with what the databases hold: in O(1) each, but for the dates.
  func requireCounts(
    _ transaction: borrowing Transaction, segments: [SegmentRow]
  ) throws(StateError) {
    var expected: [(Database, UInt64)] = [
      (.outbox, state.outboxRows),
      (.data, segments.reduce(0) { $0 + UInt64($1.dataChunks) }),
      (.headers, segments.reduce(0) { $0 + UInt64($1.headerChunks) }),
    ]
    expected += SideOutput.allCases.map { ($0.database, state.kept[$0].rows) }
    for (database, count) in expected {
      let found = try transaction.count(database)
      if found != count {
        throw StateError.damaged(
          transaction.environment.directory,
          "'\(database.name)' has \(found) entries, the checkpoint says \(count)")
      }
    }
    _ = try DateRow.readAll(transaction, closed: state.counters.sessionsClosed)
  }
}

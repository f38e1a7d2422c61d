import Platform
package import SessionModel
import Synchronization

/// The state of one task, for the one process that runs on it.
///
/// Threads: one processing thread opens it and reads records; one writer thread commits, after
/// `open` has returned; any thread reads the outbox. Invariants after every commit:
///
/// - the newest row of `segments` is the checkpoint in the row of `state`;
/// - segments have consecutive numbers, and each key's newest entry decides;
/// - `outboxRows`, and the totals of the side outputs, are what the databases hold;
/// - `sessionsClosed = delivered + outboxRows`.
package final class StateStore: @unchecked Sendable {
  // Unchecked: LMDB lets threads share an environment. `recordReader` is the processing thread's,
  // `committed` and `segments` are the writer thread's; the latch has its own lock.

  package let directory: String
  /// The state when the store was opened; checkpoint 0 for a new one.
  package let recovered: CheckpointState
  /// Seed of the key hash, random for each state.
  package let hashSeed: (UInt64, UInt64)
  /// Keys with a record in the recovered state: the size that a table of them needs.
  package let recoveredKeys: UInt64
  /// The recovered segments. The live records are still to be added, from `forEachHeader`.
  package let recoveredLedger: SegmentLedger

  /// What people should know of a state that was opened all the same; nil for nothing.
  package let warning: String?

  let environment: Environment
  private let lock: StateLock
  private let options: StateOptions
  private let recordReader: RenewableReader
  private var committed: StateRow
  private var segments: [SegmentSize]
  private var partitionSums: [Int32: (progress: PartitionProgress, checksum: UInt64)]
  private let latch = Mutex<StateError?>(nil)

  init(
    _ opened: consuming OpenedState, lock: consuming StateLock, options: StateOptions
  ) throws(StateError) {
    directory = opened.environment.directory
    environment = opened.environment
    warning = StateStore.warning(
      directory: opened.environment.directory, checkpoint: opened.row.state.checkpoint,
      acknowledged: lock.acknowledged)
    lock.acknowledge(opened.row.state.checkpoint)
    self.lock = lock
    self.options = options
    recovered = opened.row.state
    hashSeed = opened.job.hashSeed
    recoveredKeys = opened.segments.last?.liveKeys ?? 0
    recoveredLedger = SegmentLedger(
      oldest: opened.row.oldestSegment, logBytes: opened.segments.map(\.logBytes),
      floor: options.cleaningFloor)
    recordReader = try opened.environment.makeReader()
    segments = opened.segments.map(SegmentSize.init)
    partitionSums = [:]
    committed = opened.row
    for progress in opened.row.state.partitions {
      partitionSums[progress.partition] = (progress, PartitionRow.encode(progress).checksum)
    }
  }

  /// A state that is older than what was acknowledged is sound, but people may not expect it.
  static func warning(directory: String, checkpoint: UInt64, acknowledged: UInt64) -> String? {
    if acknowledged <= checkpoint { return nil }
    return """
      the state in '\(directory)' is at checkpoint \(checkpoint), but checkpoint \(acknowledged) \
      was durable here: an older copy was put in its place, or the disk has lost what it had \
      confirmed. The state is sound: the same rows are derived again from checkpoint \(checkpoint) \
      on, and those that the sinks hold are skipped. Only what a clock has decided since (idle \
      partitions, flushes) may come out otherwise.
      """
  }

  /// Calls `body` with every entry of the header log, group by group (`KeyHash.group`), and in a
  /// group newest segment to oldest: the first entry of a key decides, tombstones included.
  ///
  /// - Throws: `.corrupt`: then what `body` was given must not be used.
  package func forEachHeader(
    _ body: (HeaderEntry) -> Void
  ) throws(StateError) {
    try refuseIfLatched()
    if recovered.checkpoint == 0 { return }
    try environment.read { (transaction) throws(StateError) in
      let log = try HeaderLog(transaction)
      for group in 0..<HeaderChunk.groups { try log.forEachEntry(inGroup: group, body) }
    }
  }

  /// The entries of one committed segment, for cleaning.
  package func headers(ofSegment checkpoint: UInt64) throws(StateError) -> [HeaderEntry] {
    try refuseIfLatched()
    return try environment.read { (transaction) throws(StateError) in
      let row = try SegmentRow.read(transaction, checkpoint: checkpoint)
      var entries: [HeaderEntry] = []
      entries.reserveCapacity(Int(row.entries))
      try HeaderLog.Segment(row, transaction).forEachEntry { entries.append($0) }
      return entries
    }
  }

  /// Reads one record. On the processing thread only.
  ///
  /// - Parameters:
  ///   - place: in a committed checkpoint.
  ///   - body: is given the packed `SessionRecord`, valid inside only.
  /// - Throws: `.corrupt` if the record is missing, broken, or another key's.
  package func withRecord<Result>(
    _ place: RecordPlace, hash: KeyHash, _ body: (UnsafeRawBufferPointer) -> Result
  ) throws(StateError) -> Result {
    try refuseIfLatched()
    return try recordReader.read { (transaction) throws(StateError) in
      guard let chunk = try transaction.get(.data, place.chunk),
        let record = RecordEnvelope.open(chunk, place, hash: hash)
      else { throw StateError.damaged(directory, "the record at \(place) is missing or broken") }
      return body(record)
    }
  }

  /// What a geography service said of an address, as of the last checkpoint; nil if nothing is kept.
  /// On the processing thread only.
  ///
  /// - Parameter address: in canonical form, its UTF-8.
  package func geography(
    of address: UnsafeRawBufferPointer
  ) throws(StateError) -> AddressGeography? {
    try refuseIfLatched()
    return try recordReader.read { (transaction) throws(StateError) in
      try GeographyRow.read(address, transaction)
    }
  }

  /// Rows of the outbox behind `position`, in order. On any thread.
  ///
  /// - Parameters:
  ///   - position: nil for the beginning.
  ///   - maxBytes: of encoded rows; the row that reaches it is the last.
  package func readOutbox(
    after position: RowPosition?, maxRows: Int, maxBytes: Int
  ) throws(StateError) -> RowBatch {
    try refuseIfLatched()
    var batch = RowBatch()
    try environment.read { (transaction) throws(StateError) in
      try OutboxRow.read(
        transaction, after: position, maxRows: maxRows, maxBytes: maxBytes, into: &batch)
    }
    return batch
  }

  /// The first entries of a side output that are wanted. On any thread.
  ///
  /// - Parameter maxBytes: of stored rows; the entry that reaches it is the last.
  package func readSide(
    _ output: SideOutput, maxRows: Int, maxBytes: Int,
    where isWanted: (SideEntry) -> Bool = { _ in true }
  ) throws(StateError) -> SideBatch {
    try refuseIfLatched()
    return try environment.read { (transaction) throws(StateError) in
      try SideBatch(output, transaction, maxRows: maxRows, maxBytes: maxBytes, where: isWanted)
    }
  }

  /// Makes a checkpoint durable in one transaction. On the writer thread only.
  ///
  /// - Returns: the state as it now stands: with `outboxRows`, `delivered`, `kept`, `newestRow`
  ///   and `removedUpTo` as they came out.
  /// - Throws: `.inputOutput`, `.corrupt`, `.sideOutputFull`, `.fault`. The last checkpoint is then
  ///   intact, nothing of this one is durable, and the store refuses everything from then on.
  @discardableResult
  package func commit(_ draft: CheckpointDraft) throws(StateError) -> CheckpointState {
    try refuseIfLatched()
    do throws(StateError) {
      var work = CheckpointCommit(
        draft: draft, options: options, row: committed, segments: segments,
        partitions: partitionSums)
      try work.run(in: environment)
      committed = work.row
      lock.acknowledge(committed.state.checkpoint)
      segments = work.segments
      partitionSums = work.partitions
      return committed.state
    } catch {
      latch.withLock { $0 = error }
      throw error
    }
  }

  /// A reader that shares this process's environment, since a process must not open it twice.
  package func makeReader() throws(StateError) -> StateReader {
    try StateReader(environment: environment)
  }

  private func refuseIfLatched() throws(StateError) {
    if let error = latch.withLock({ $0 }) { throw error }
  }
}

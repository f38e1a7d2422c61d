import Enrichment
import EventDecoding
import EventSources
import SessionModel
import StateStore
import Windowing

/// The fold over the log: decoding, lateness, windows, and what the next checkpoint will hold.
///
/// It belongs to one thread, and a process can own several. It does no I/O but reading records of
/// the state when they are first touched; it has no clock of its own.
final class SessionTask {
  private(set) var marks: Watermarks
  private(set) var counters: Counters
  /// The last checkpoint left closed sessions without rows, since the first of them waits for its
  /// geography.
  private(set) var awaitsGeography = false
  /// It has come since, or its time is over.
  private var isGeographyKnown = false
  /// Records since the last checkpoint was gathered.
  private(set) var recordsSinceCheckpoint = 0
  let table: SessionTable
  private let options: RunOptions
  private let store: StateStore
  private let queue: EventQueue
  private var ledger: SegmentLedger
  private var checkpoint: UInt64
  private var late: [SideRecord] = []
  private var rejected: [SideRecord] = []
  /// Per partition: the last record's time, for bounded runs.
  private var lastRecordTimes: [Int32: Microseconds] = [:]

  /// Takes up the state that the store recovered.
  ///
  /// - Parameters:
  ///   - now: monotonic.
  ///   - userAgents, expectGeography: as the table has them.
  init(
    store: StateStore, options: RunOptions, now: Int64,
    userAgents: @escaping (TextView) -> UserAgentFamilies,
    expectGeography: ((TextView, Bool) -> Void)?
  ) throws(RunFailure) {
    self.store = store
    self.options = options
    let recovered = store.recovered
    marks = Watermarks(
      gap: options.gap, outOfOrderness: options.outOfOrderness, watermark: recovered.watermark,
      closeLine: recovered.closeLine)
    counters = recovered.counters
    #if PLANTED_BUGS
      if planted(.counterForgotten) { counters.flushes = 0 }
    #endif
    checkpoint = recovered.checkpoint
    queue = EventQueue(decoding: options.decoding, hasher: KeyHasher(seed: store.hashSeed))
    ledger = store.recoveredLedger
    table = SessionTable(
      gap: options.gap, split: options.split, key: options.decoding.key,
      dropsBots: options.dropsBots, capacity: Int(store.recoveredKeys)
    ) { place, hash, body in
      try store.withRecord(place, hash: hash) { body($0) }
    }
    table.now = now
    table.userAgents = userAgents
    table.expectGeography = expectGeography
    try recoverSessions(recovered)
    awaitsGeography = expectGeography != nil && table.closingSessions > 0
  }

  private func recoverSessions(_ recovered: CheckpointState) throws(RunFailure) {
    do throws(StateError) {
      try store.forEachHeader { entry in
        let isNewest = table.recover(
          hash: entry.hash, place: entry.place, leastLast: entry.leastLast)
        if isNewest, !entry.place.isNone { ledger.add(entry.place) }
      }
    } catch {
      throw RunFailure(error)
    }
    table.finishRecovery(sessions: recovered.openSessions + recovered.closingSessions)
    table.checkpoint = checkpoint + 1
    do { try table.sweep(to: marks.closeLine) } catch { throw RunFailure(table: error) }
  }

  // MARK: - Partitions

  func add(_ start: PartitionStart, progress: PartitionProgress?) {
    marks.add(partition: start.partition, maxEventTime: progress?.maxEventTime ?? .never)
    lastRecordTimes[start.partition] = progress?.lastRecordTime
    accept(lostOffsets: start.lostOffsets)
  }

  /// Counts offsets that were deleted unread and that the run goes on without.
  func accept(lostOffsets: UInt64) { counters.lostOffsets += lostOffsets }

  /// Takes a partition out of the watermark's minimum, or back; it is not as wanted yet.
  func setIdle(_ idle: Bool, partition: Int32) {
    if idle { counters.idlings += 1 }
    marks.setIdle(idle, partition: partition)
  }

  /// Takes a partition out of the watermark's minimum for good: it is at its stop.
  ///
  /// - Parameter byClock: the machine's clock had a say in it; then it is counted.
  func retire(_ partition: Int32, byClock: Bool) {
    if byClock { counters.idlings += 1 }
    marks.retire(partition)
  }

  /// The last record's time in the partition, µs; nil if none was ever read.
  func lastRecordTime(of partition: Int32) -> Microseconds? { lastRecordTimes[partition] }

  // MARK: - Records

  /// Processes a batch.
  ///
  /// - Parameter now: the wall clock, µs since 1970, for `ahead_of_now`.
  /// - Returns: whether the batch held an event, late or not.
  /// - Throws: `RunFailure`; the task is not to be used on, the state is safe.
  func process(_ batch: RecordBatch, now: Microseconds) throws(RunFailure) -> Bool {
    var eventCount = 0
    var bytes = 0
    let closeLine = marks.closeLine
    for (index, record) in batch.records.enumerated() {
      bytes += record.valueLength
      if let rejection = judge(record, now: now) {
        reject(record, rejection, partition: batch.partition)
      } else {
        eventCount += 1
        queue.enter(index: index, table: table)
        if queue.isFull { try admitFirst(of: batch, closeLine: closeLine) }
      }
    }
    while !queue.isEmpty { try admitFirst(of: batch, closeLine: closeLine) }
    counters.recordsRead += UInt64(batch.records.count)
    counters.bytesRead += UInt64(bytes)
    recordsSinceCheckpoint += batch.records.count
    try sweep()
    if let last = batch.records.last, last.timestamp != .never {
      lastRecordTimes[batch.partition] = last.timestamp
    }
    return eventCount > 0
  }

  /// Closes what is due. The result does not depend on when this is done; done often, records stay
  /// short.
  private func sweep() throws(RunFailure) {
    marks.sweep()
    do { try table.sweep(to: marks.closeLine) } catch { throw RunFailure(table: error) }
  }

  /// Decodes a record; nil if it is an event.
  private func judge(_ record: SourceRecord, now: Microseconds) -> Rejection? {
    if let rejection = queue.decode(record) { return rejection }
    return FutureSkew(options.maxFutureSkew).rejection(
      ofEventAt: queue.decodedTime, recordTime: record.timestamp, now: now)
  }

  private func admitFirst(
    of batch: RecordBatch, closeLine: Microseconds
  ) throws(RunFailure) {
    try queue.leave { (index, event, hash) throws(RunFailure) in
      try admit(
        event, hash: hash, from: batch.records[index], partition: batch.partition,
        closeLine: closeLine)
    }
  }

  private func admit(
    _ event: Event, hash: KeyHash, from record: SourceRecord, partition: Int32,
    closeLine: Microseconds
  ) throws(RunFailure) {
    // Files have no record times: there the event's own time serves.
    if record.timestamp == .never { lastRecordTimes[partition] = event.time }
    if let reason = marks.admit(event.time, partition: partition) {
      counters.lateByReason[Int(reason.rawValue)] += 1
      // What it was compared with: a late event moves neither.
      let watermark = max(marks.partitionWatermark(of: partition), marks.watermark)
      late.append(
        side(
          record, partition: partition, reason: reason.rawValue, field: nil,
          eventTime: event.time, watermark: watermark))
      return
    }
    do {
      try table.add(
        event, at: EventPoint(time: event.time, partition: partition, offset: record.offset),
        hash: hash, closeLine: closeLine)
    } catch SessionTableError.tooManySessions {
      return reject(record, Rejection(.tooManySessions), partition: partition)
    } catch {
      throw RunFailure(table: error)
    }
    counters.eventsInSessions += 1
    counters.cutTexts += UInt64(event.cutTexts)
  }

  private func reject(_ record: SourceRecord, _ rejection: Rejection, partition: Int32) {
    counters.rejectedByReason[Int(rejection.reason.rawValue)] += 1
    rejected.append(
      side(
        record, partition: partition, reason: rejection.reason.rawValue,
        field: rejection.field, eventTime: .never, watermark: .never))
  }

  private func side(
    _ record: SourceRecord, partition: Int32, reason: UInt8, field: EventField?,
    eventTime: Microseconds, watermark: Microseconds
  ) -> SideRecord {
    SideRecord(
      partition: partition, offset: record.offset, reason: reason, field: field?.rawValue ?? 0,
      recordTime: record.timestamp, eventTime: eventTime, watermark: watermark,
      valueLength: record.value == nil ? -1 : Int64(record.valueLength),
      payload: record.value.map { Array($0.prefix(Limits.keptPayloadBytes)) } ?? [])
  }

  // MARK: - Checkpoints

  /// Whether so much has changed that the next checkpoint should not wait.
  var isFull: Bool {
    table.dirtyKeys >= options.bounds.changedKeys || table.dirtyBytes >= options.bounds.changedBytes
      || late.count + rejected.count >= options.bounds.sideRecords
      || !awaitsGeography && table.closingSessions >= options.bounds.closingSessions
  }

  /// Closed sessions whose rows could be made; those in the table may be fewer than a checkpoint takes.
  var hasRowsToMake: Bool {
    table.closingSessions > 0 && (!awaitsGeography || isGeographyKnown)
  }

  /// Sees whether the geography that the first closed session waits for has come, or its time is over.
  func lookForGeography(_ source: any GeographySource) throws(RunFailure) {
    guard awaitsGeography, !isGeographyKnown else { return }
    do {
      isGeographyKnown = try table.canTakeRow { ip, closedAt in
        source.geography(of: ip) ?? (isOverdue(closedAt) ? Geography() : nil)
      }
    } catch {
      throw RunFailure(table: error)
    }
  }

  private func isOverdue(_ closedAt: Int64) -> Bool {
    options.geographyDeadline.map { table.now - closedAt >= $0 } ?? false
  }

  /// A row's geography, which is final: null once its time is over.
  private func finalGeography(
    of ip: TextView, closedAt: Int64, from source: any GeographySource
  ) -> Geography? {
    if let known = source.geography(of: ip) { return known }
    if !isOverdue(closedAt) { return nil }
    counters.rowsWithoutGeography += 1
    source.giveUp(ip)
    return Geography()
  }

  /// Closes everything: `W := C := max(W, M + 1 µs)`. The next checkpoint must be durable before
  /// another record is processed.
  func flush() throws(RunFailure) {
    try sweep()
    do {
      guard marks.flush() else { return }
      counters.flushes += 1
      counters.sessionsClosedByFlush += UInt64(try table.sweep(to: marks.closeLine))
    } catch {
      throw RunFailure(table: error)
    }
  }

  /// Freezes what has changed, with all that it reflects, as the next checkpoint.
  ///
  /// - Parameters:
  ///   - progress: of every partition, as the source has it now.
  ///   - sinks: what the sinks are known to hold.
  ///   - settings: that the state is to keep.
  ///   - heldByAll: rows of the outbox up to here are removed.
  ///   - geography: for the rows, which are final with it.
  ///   - makesRows: else closed sessions are left as they are.
  func gather(
    progress: [(partition: Int32, nextOffset: Int64, proof: [UInt8])], sinks: [SinkProgress],
    settings: [KeptSetting], heldByAll: RowPosition?, geography: any GeographySource,
    makesRows: Bool, now: Microseconds
  ) throws(RunFailure) -> CheckpointDraft {
    checkpoint += 1
    let draft = CheckpointDraft(checkpoint: checkpoint, expectedKeys: table.dirtyKeys)
    try sweep()
    do {
      awaitsGeography = false
      isGeographyKnown = false
      while makesRows, hasRowsToMake, !draft.isFull {
        let room = options.bounds.rowsPerCheckpoint - draft.rowCount
        if room <= 0 { break }
        awaitsGeography = try !table.takeRows(
          limit: min(room, RunLimits.rowsPerPiece), into: &draft.rows, bots: &draft.bots
        ) {
          finalGeography(of: $0, closedAt: $1, from: geography)
        }
      }
      try cleanOldestSegment()
    } catch {
      throw RunFailure(table: error)
    }
    takeChanges(into: draft)
    counters.sessionsClosed += UInt64(draft.rows.count)
    counters.botSessions += UInt64(draft.bots.count)
    draft.bots.forEachRow { counters.botEvents += $0.eventCount }
    draft.late = late
    #if PLANTED_BUGS
      if planted(.lateRecordsDropped) { draft.late = [] }
    #endif
    draft.rejected = rejected
    late.removeAll(keepingCapacity: true)
    rejected.removeAll(keepingCapacity: true)
    draft.state = state(progress: progress, sinks: sinks, now: now)
    draft.state.settings = settings
    draft.removeOutboxUpTo = heldByAll
    table.checkpoint = checkpoint + 1
    recordsSinceCheckpoint = 0
    return draft
  }

  private func takeChanges(into draft: CheckpointDraft) {
    table.takeChanges { hash, record, leastLast, older in
      ledger.retire(older)
      guard let record else {
        #if PLANTED_BUGS
          if planted(.tombstoneForgotten) { return .none }
        #endif
        draft.appendTombstone(hash: hash)
        return .none
      }
      let place = draft.append(hash: hash, payload: record, leastLast: leastLast)
      ledger.add(place)
      return place
    }
    ledger.finish(draft)
  }

  /// Has the live records of the oldest segment written anew where the log has outgrown them.
  private func cleanOldestSegment() throws {
    guard let segment = ledger.segmentToClean else { return }
    for entry in try store.headers(ofSegment: segment)
    where !entry.place.isNone && table.place(of: entry.hash) == entry.place {
      try table.touch(entry.hash)
    }
  }

  private func state(
    progress: [(partition: Int32, nextOffset: Int64, proof: [UInt8])], sinks: [SinkProgress],
    now: Microseconds
  ) -> CheckpointState {
    var state = CheckpointState()
    state.checkpoint = checkpoint
    state.watermark = marks.watermark
    state.closeLine = marks.closeLine
    state.counters = counters
    state.partitions = progress.map {
      PartitionProgress(
        partition: $0.partition, nextOffset: $0.nextOffset,
        maxEventTime: marks.maxEventTime(of: $0.partition),
        lastRecordTime: lastRecordTimes[$0.partition], proof: $0.proof)
    }
    #if PLANTED_BUGS
      spoil(&state)
    #endif
    state.sinks = sinks
    state.openSessions = table.openSessions
    state.closingSessions = table.closingSessions
    state.frozenAt = now
    return state
  }

  #if PLANTED_BUGS
    private func spoil(_ state: inout CheckpointState) {
      if planted(.watermarkForgotten) { state.watermark = .never }
      if planted(.flushForgotten), counters.flushes > 0 {
        state.closeLine = marks.watermark - marks.gap
      }
      if planted(.greatestTimeForgotten) {
        for index in state.partitions.indices { state.partitions[index].maxEventTime = .never }
      }
    }
  #endif
}

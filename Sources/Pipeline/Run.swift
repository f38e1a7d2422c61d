package import Enrichment
package import EventSources
import SessionModel
package import StateStore
import Windowing

/// The one way through: source → decode → window → checkpoint → outbox → sinks.
///
/// The calling thread is the processing thread. Order of things, on which exactness rests:
/// 1. a batch is processed whole before a checkpoint is gathered;
/// 2. a checkpoint holds the changes together with the offsets that they reflect;
/// 3. rows leave the process only from the outbox, hence after the commit that decided them;
/// 4. after a flush no record is processed before the flush is durable;
/// 5. offsets are shown to the Kafka group only after the commit.
package final class Run {
  private let options: RunOptions
  private let host: any RunHost
  private let source: any EventSource
  private let stop: StopRequest
  private let observer: RunObserver
  private let task: SessionTask
  private let writer: CheckpointWriter
  private let deliveries: Deliveries
  private let sides: SideDeliveries
  private let geography: any GeographySource
  /// The same, where it is a service's.
  private let lookups: GeographyLookups?
  private let userAgents: RawUserAgents
  private var committed: CheckpointState
  private var partitions: [Int32: PartitionReading] = [:]
  private var idle: IdleTracker?
  private var allIdleSince: Int64?
  private var held: Set<Int32> = []
  private var isPaused = false
  private var lastCheckpointAt: Int64
  private var lastTimersAt: Int64 = 0
  private var hasProcessedRecords = false
  /// The last checkpoint was full: closed sessions wait for their row in the next one.
  private var rowsAreLeft = false
  private let startedAt: Int64
  private let startedAtWall: Microseconds
  /// The position of sinks at the last gathering, to see whether the outbox can let rows go.
  private var gatheredHeld: RowPosition?

  /// How a partition stands, besides what the task knows.
  private struct PartitionReading {
    var position: Int64
    var startOffset: Int64
    var stopOffset: Int64?
    var isAtStop = false
  }

  /// Recovers the state; nothing is read yet.
  ///
  /// - Throws: `RunFailure`; nothing was changed.
  package init(
    options: RunOptions, store: StateStore, source: any EventSource, sinks: [SinkToOpen],
    sides: [SideToOpen] = [], geography: GeographyOrigin = .source(NoGeography()),
    userAgents: RawUserAgents = RawUserAgents(whenNeeded: nil), stop: StopRequest,
    observer: RunObserver, host: any RunHost = ThreadHost()
  ) throws(RunFailure) {
    self.options = options
    self.host = host
    startedAt = host.monotonic
    startedAtWall = host.wall
    self.source = source
    switch geography {
    case .source(let source):
      self.geography = source
      lookups = nil
    case .service(let service):
      let lookups = GeographyLookups(
        service, store: store, timeToLive: options.geographyTimeToLive, now: startedAtWall)
      self.geography = lookups
      self.lookups = lookups
    }
    self.userAgents = userAgents
    self.stop = stop
    self.observer = observer
    committed = store.recovered
    task = try SessionTask(
      store: store, options: options, now: startedAt, userAgents: userAgents.families,
      expectGeography: lookups?.expect)
    let waker = SourceWaker(source)
    writer = try CheckpointWriter(store: store, host: host) { waker.wake() }
    deliveries = try Deliveries(
      sinks, store: store, host: host, options: options
    ) { waker.wake() }
    self.sides = try SideDeliveries(sides, store: store, host: host) { waker.wake() }
    if !options.isBounded { idle = options.idleTimeout.map { IdleTracker(timeout: $0) } }
    lastCheckpointAt = startedAt
  }

  /// Reads to the end of a bounded run, or until it is asked to stop; then checkpoints and delivers.
  ///
  /// - Throws: `RunFailure`; the state is safe at its last checkpoint.
  package func run() throws(RunFailure) -> RunSummary {
    defer {
      deliveries.close()
      sides.close()
      writer.close()
      source.close()
      lookups?.close()
    }
    let recordsBefore = committed.counters.recordsRead
    try deliveries.waitForFirstTry()
    try sides.waitForFirstTry()
    if try openSource() {
      while !stop.isRequested, !isDone, !isOverTime { try step() }
      if isDone, options.closeAll { try flushDurably() }
      try finish()
      observer.progress(task.counters.recordsRead, part)
    }
    return RunSummary(
      state: committed, recordsThisRun: committed.counters.recordsRead - recordsBefore,
      elapsed: host.monotonic - startedAt)
  }

  private var isDone: Bool {
    options.isBounded && partitions.values.allSatisfy(\.isAtStop)
  }

  private var isOverTime: Bool {
    options.runFor.map { host.monotonic - startedAt >= $0 } ?? false
  }

  // MARK: - Partitions

  /// Waits for the source for as long as it takes; the sinks get their rows meanwhile.
  ///
  /// - Returns: false if the run was asked to end first; nothing was changed then.
  private func openSource() throws(RunFailure) -> Bool {
    while !stop.isRequested, !isOverTime {
      let starts: [PartitionStart]?
      do throws(SourceError) {
        starts = try source.open(resume: committed.partitions, maxWait: RunLimits.pollWait)
      } catch {
        throw RunFailure(error)
      }
      for notice in source.takeNotices() { observer.notice(notice) }
      try lookAtSinks()
      if let starts {
        try begin(starts)
        return true
      }
    }
    return false
  }

  private func begin(_ starts: [PartitionStart]) throws(RunFailure) {
    let progress = Dictionary(
      uniqueKeysWithValues: committed.partitions.map { ($0.partition, $0) })
    for notice in enrichmentNotices { observer.notice(notice) }
    tellChangedSettings()
    for start in starts { add(start, progress: progress[start.partition]) }
    // What waits may be at its bound from the last run: nothing may be added to it then.
    pauseOrResume()
    // The offsets that "earliest" and "latest" came to are durable before anything depends on them.
    if committed.partitions.count != starts.count { try checkpointNow() }
  }

  /// Says what differs from the run before.
  private func tellChangedSettings() {
    let changes = chosenSettings.changes(since: committed.settings)
    if changes.isEmpty { return }
    observer.notice(
      "settings have changed since checkpoint \(committed.checkpoint): "
        + "\(changes.joined(separator: "; ")). The new ones hold from here on")
  }

  private var chosenSettings: [KeptSetting] {
    options.settings + [
      KeptSetting("geo", geography.name), KeptSetting("user-agents", userAgents.name),
    ]
  }

  private var enrichmentNotices: [String] { geography.takeNotices() + userAgents.takeNotices() }

  /// What the next checkpoint keeps of them.
  private var settings: [KeptSetting] {
    let cluster = source.clusterID ?? committed.settings.value(of: KeptSetting.cluster)
    return chosenSettings + (cluster.map { [KeptSetting(KeptSetting.cluster, $0)] } ?? [])
  }

  private func add(_ start: PartitionStart, progress: PartitionProgress?) {
    partitions[start.partition] = PartitionReading(
      position: start.nextOffset, startOffset: start.nextOffset, stopOffset: start.stopOffset)
    task.add(start, progress: progress)
    idle?.add(partition: start.partition, now: host.monotonic)
    if start.lostOffsets > 0 {
      observer.notice(
        "partition \(start.partition): \(start.lostOffsets) offsets were deleted unread; accepted")
    }
  }

  // MARK: - Steps

  private func step() throws(RunFailure) {
    let batch: RecordBatch?
    do throws(SourceError) {
      batch = try source.nextBatch(maxWait: wait)
    } catch {
      throw RunFailure(error)
    }
    let now = host.monotonic
    task.table.now = now
    if let batch { try process(batch, now: now) }
    if let state = try writer.takeResult() { afterCommit(state) }
    if now - lastTimersAt >= RunLimits.pollWait || batch == nil { try lookAround(now: now) }
    if isCheckpointDue(now: now) { try checkpoint() }
  }

  /// How long to wait for records: to the next timer.
  private var wait: Microseconds {
    // A commit under way wakes this thread when it is done; without news no checkpoint is due.
    guard writer.isIdle, hasNews else { return RunLimits.pollWait }
    let sinceCheckpoint = host.monotonic - lastCheckpointAt
    let untilCheckpoint = options.checkpointInterval - sinceCheckpoint
    // Overdue: there is nothing to write, or a commit is under way, whose end wakes this thread.
    if untilCheckpoint <= 0 { return RunLimits.pollWait }
    return min(RunLimits.pollWait, max(1_000, untilCheckpoint))
  }

  private func process(_ batch: RecordBatch, now: Int64) throws(RunFailure) {
    let hadEvent = try task.process(batch, now: host.wall)
    if !hasProcessedRecords, !batch.records.isEmpty {
      hasProcessedRecords = true
      observer.firstRecord()
    }
    let before = partitions[batch.partition]?.position ?? 0
    partitions[batch.partition]?.position = batch.position
    if hadEvent {
      idle?.delivered(batch.partition, now: now)
      allIdleSince = nil
    }
    if batch.reachedStop { reachedStop(batch.partition) }
    // The same offsets come again: their late and rejected records belong to another checkpoint.
    if batch.position < before { try checkpointNow() }
    align()
  }

  /// A partition at its stop leaves the watermark's minimum if it is empty or was silent for longer
  /// than the idle time-out when the process started.
  private func reachedStop(_ partition: Int32) {
    partitions[partition]?.isAtStop = true
    guard let last = task.lastRecordTime(of: partition) else {
      return retire(partition, byClock: false)
    }
    if let timeout = options.idleTimeout, last < startedAtWall - timeout {
      retire(partition, byClock: true)
    }
  }

  private func retire(_ partition: Int32, byClock: Bool) {
    task.retire(partition, byClock: byClock)
    observer.decided(.retired(partition: partition))
  }

  private func align() {
    if isPaused { return hold(Set(partitions.keys)) }
    guard let maxDrift = options.maxDrift, partitions.count > 1 else { return }
    let view = partitions.map { number, reading in
      Alignment.Partition(
        number: number, watermark: task.marks.partitionWatermark(of: number),
        hasMore: !reading.isAtStop && !task.marks.isIdle(number) && !source.isAtEnd(number))
    }
    hold(Set(Alignment.held(view, maxDrift: maxDrift)))
  }

  private func hold(_ next: Set<Int32>) {
    if next == held { return }
    for partition in next.subtracting(held) { source.setHeld(true, partition: partition) }
    for partition in held.subtracting(next) { source.setHeld(false, partition: partition) }
    held = next
  }

  /// Timers, sinks, added partitions, messages.
  private func lookAround(now: Int64) throws(RunFailure) {
    lastTimersAt = now
    try lookAtSinks()
    try lookForGeography()
    for notice in source.takeNotices() + enrichmentNotices { observer.notice(notice) }
    for start in source.takeAddedPartitions() {
      observer.notice("partition \(start.partition) was added; it is read from its beginning")
      add(start, progress: nil)
    }
    pauseOrResume()
    try watchIdle(now: now)
    align()
    observer.progress(task.counters.recordsRead, part)
  }

  private func lookAtSinks() throws(RunFailure) {
    for notice in try deliveries.look() + sides.look() { observer.notice(notice) }
  }

  /// Takes what a service has answered.
  private func lookForGeography() throws(RunFailure) {
    guard let lookups else { return }
    lookups.refresh(now: host.wall)
    try task.lookForGeography(lookups)
    if let failure = lookups.failure { throw RunFailure(failure) }
  }

  /// Closed sessions that wait for a service, each of which will be a row.
  private var sessionsAwaitingGeography: UInt64 {
    task.awaitsGeography ? task.table.closingSessions : 0
  }

  /// What waits for sinks stops reading at a bound, while polling goes on; never a sweep or a flush.
  private func pauseOrResume() {
    let isFull =
      committed.outboxRows + sessionsAwaitingGeography >= options.outboxLimit
      || sides.areFull(committed.kept)
    if isFull == isPaused { return }
    isPaused = isFull
    observer.notice(
      isFull
        ? "reading pauses: \(committed.outboxRows) rows and \(committed.kept.rows) entries of side "
          + "outputs are in the state; lacking: "
          + (lacking + lackingGeography).joined(separator: ", ")
        : "reading goes on: \(committed.outboxRows) rows wait for the sinks")
    hold(isPaused ? Set(partitions.keys) : [])
  }

  private func watchIdle(now: Int64) throws(RunFailure) {
    guard idle != nil else { return }
    for end in source.takeEnds() {
      guard let reading = partitions[end.partition] else { continue }
      let isIdle = idle!.answered(
        end.partition, sentAt: end.sentAt, end: end.end,
        readUpTo: max(reading.position, source.progress(of: end.partition).nextOffset),
        hasPending: source.hasQueued(end.partition) || held.contains(end.partition))
      if isIdle != task.marks.isIdle(end.partition) {
        task.setIdle(isIdle, partition: end.partition)
        observer.decided(.idle(isIdle, partition: end.partition))
      }
    }
    let due = idle!.due(now: now)
    if !due.isEmpty { source.requestEnds(of: due) }
    guard idle!.allIdle, !isPaused else {
      allIdleSince = nil
      return
    }
    let since = allIdleSince ?? now
    allIdleSince = since
    let hasOpen = task.table.openSessions > 0
    if let quiet = options.quietClose, hasOpen, now - since >= quiet {
      observer.notice("no partition had an event for long: every open session is closed")
      try flushDurably()
    }
  }

  // MARK: - Checkpoints

  private func isCheckpointDue(now: Int64) -> Bool {
    if task.isFull { return true }
    guard writer.isIdle else { return false }
    if rowsAreLeft { return true }
    // While reading pauses, checkpoints make room in the outbox: a long interval must not stall it.
    let interval =
      isPaused
      ? min(options.checkpointInterval, RunLimits.pausedCheckpointInterval)
      : options.checkpointInterval
    return now - lastCheckpointAt >= interval && hasNews
  }

  /// Whether a checkpoint would change anything.
  private var hasNews: Bool {
    task.recordsSinceCheckpoint > 0 || task.hasRowsToMake
      || deliveries.heldByAll != gatheredHeld
      || sides.haveDelivered
      || task.marks.watermark != committed.watermark
      || partitions.contains { number, _ in
        source.progress(of: number).nextOffset
          != committed.partitions.first { $0.partition == number }?.nextOffset
      }
  }

  /// Gathers and hands over a checkpoint; waits only for one that is under way.
  private func checkpoint() throws(RunFailure) {
    if let state = try writer.waitForResult() { afterCommit(state) }
    try lookAtSinks()
    // The offsets below are behind what was lost: both go into the same checkpoint.
    task.accept(lostOffsets: source.takeLostOffsets())
    let progress = partitions.keys.sorted().map { number in
      let (nextOffset, proof) = source.progress(of: number)
      #if PLANTED_BUGS
        if planted(.staleOffset), number == 0, let last = committed.partitions.first {
          return (partition: number, nextOffset: last.nextOffset, proof: last.proof)
        }
      #endif
      return (partition: number, nextOffset: nextOffset, proof: proof)
    }
    gatheredHeld = deliveries.heldByAll
    task.table.now = host.monotonic
    geography.refresh(now: host.wall)
    let draft = try task.gather(
      progress: progress, sinks: deliveries.progress, settings: settings, heldByAll: gatheredHeld,
      geography: geography, now: host.wall)
    if let failure = lookups?.failure { throw RunFailure(failure) }
    lookups?.hand(to: draft)
    draft.removeSides = sides.takeDelivered()
    lastCheckpointAt = host.monotonic
    rowsAreLeft = task.hasRowsToMake
    writer.submit(draft)
  }

  private func checkpointNow() throws(RunFailure) {
    try checkpoint()
    if let state = try writer.waitForResult() { afterCommit(state) }
  }

  private func afterCommit(_ state: CheckpointState) {
    committed = state
    deliveries.notify(outboxRows: committed.outboxRows)
    sides.notify(state.checkpoint)
    source.mirror(state.partitions.map { ($0.partition, $0.nextOffset) })
    pauseOrResume()
  }

  private func flushDurably() throws(RunFailure) {
    try task.flush()
    observer.decided(.flushed)
    #if PLANTED_BUGS
      if planted(.flushNotDurable) { return }
    #endif
    try checkpointNow()
  }

  // MARK: - The end

  /// The last checkpoints, and the outbox to the sinks, within `shutdownTimeout`.
  private func finish() throws(RunFailure) {
    repeat { try checkpointNow() } while task.hasRowsToMake
    try awaitGeography()
    let deadline = host.monotonic + options.shutdownTimeout
    deliveries.finish()
    for notice in enrichmentNotices { observer.notice(notice) }
    var hasToldOfWait = false
    while true {
      try lookAtSinks()
      if sides.haveDelivered { try checkpointNow() }
      let isOver = host.monotonic >= deadline
      // It takes what the sinks hold, and may make rows whose geography has come.
      if lacking.isEmpty || isOver, hasNews { try checkpointNow() }
      if lacking.isEmpty || isOver { break }
      if stop.isRequested, deliveries.isAnyDown || sides.isAnyDown, !hasToldOfWait {
        hasToldOfWait = true
        observer.notice(
          "the run ends; all that was read is in the state. It waits for its sinks, at most as long "
            + "as --shutdown-timeout says; a second signal ends it at once")
      }
      try poll()
    }
    if !lacking.isEmpty {
      throw RunFailure(
        .unavailable,
        """
        \(committed.outboxRows) rows could not be delivered within --shutdown-timeout to: \
        \(lacking.joined(separator: ", ")). The state is safe and keeps them; run again when the \
        sink is back
        """)
    }
  }

  /// Waits for rows whose geography is not known yet, as long as `geographyDeadline` lets them wait. A
  /// run that is asked to end leaves them in the state.
  private func awaitGeography() throws(RunFailure) {
    while task.awaitsGeography {
      if stop.isRequested || isOverTime {
        let waiting = lackingGeography.joined()
        observer.notice("the run ends, and leaves what waits to the next one: \(waiting)")
        return
      }
      try lookAtSinks()
      try poll()
      task.table.now = host.monotonic
      try lookForGeography()
      for notice in enrichmentNotices { observer.notice(notice) }
      while task.hasRowsToMake { try checkpointNow() }
    }
  }

  /// Held partitions give no records: this only polls, and wakes when a sink has moved on.
  private func poll() throws(RunFailure) {
    hold(Set(partitions.keys))
    do throws(SourceError) {
      let batch = try source.nextBatch(maxWait: RunLimits.pollWait)
      precondition(batch?.records.isEmpty ?? true, "a held partition gives no records")
    } catch {
      throw RunFailure(error)
    }
  }

  private var lackingGeography: [String] {
    sessionsAwaitingGeography == 0
      ? [] : ["the geography of closed sessions, of which \(sessionsAwaitingGeography) wait"]
  }

  /// What does not hold yet all that it is to get, with the reason where there is one.
  private var lacking: [String] {
    deliveries.lacking(committed) + sides.lacking(at: committed.checkpoint)
  }

  private var part: (done: Int64, all: Int64)? {
    guard options.isBounded else { return nil }
    var done: Int64 = 0
    var all: Int64 = 0
    for reading in partitions.values {
      guard let stopOffset = reading.stopOffset else { continue }
      done += min(reading.position, stopOffset) - reading.startOffset
      all += stopOffset - reading.startOffset
    }
    return (done, all)
  }
}

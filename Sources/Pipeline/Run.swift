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
  let options: RunOptions
  let host: any RunHost
  let source: any EventSource
  let stop: StopRequest
  let observer: RunObserver
  let task: SessionTask
  let writer: CheckpointWriter
  let deliveries: Deliveries
  let sides: SideDeliveries
  let geography: any GeographySource
  /// The same, where it is a service's.
  let lookups: GeographyLookups?
  private let userAgents: RawUserAgents
  var committed: CheckpointState
  var partitions: [Int32: PartitionReading] = [:]
  var idle: IdleTracker?
  var allIdleSince: Int64?
  var held: Set<Int32> = []
  var isPaused = false
  var lastCheckpointAt: Int64
  var lastTimersAt: Int64 = 0
  private var hasProcessedRecords = false
  /// The last checkpoint was full: closed sessions wait for their row in the next one.
  var rowsAreLeft = false
  /// Whether closed sessions still become rows: not once a run only waits for its sinks.
  var makesRows = true
  private let startedAt: Int64
  private let startedAtWall: Microseconds
  /// The position of sinks at the last gathering, to see whether the outbox can let rows go.
  var gatheredHeld: RowPosition?

  /// How a partition stands, besides what the task knows.
  struct PartitionReading {
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

  var isOverTime: Bool {
    options.runFor.map { host.monotonic - startedAt >= $0 } ?? false
  }

  var part: (done: Int64, all: Int64)? {
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

  var enrichmentNotices: [String] { geography.takeNotices() + userAgents.takeNotices() }

  /// What the next checkpoint keeps of them.
  var settings: [KeptSetting] {
    let cluster = source.clusterID ?? committed.settings.value(of: KeptSetting.cluster)
    return chosenSettings + (cluster.map { [KeptSetting(KeptSetting.cluster, $0)] } ?? [])
  }

  func add(_ start: PartitionStart, progress: PartitionProgress?) {
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
}

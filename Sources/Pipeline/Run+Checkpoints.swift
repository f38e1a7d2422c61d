import Enrichment
import EventSources
import SessionModel
import StateStore
import Windowing

/// Checkpoints, the last ones included.
extension Run {
  func isCheckpointDue(now: Int64) -> Bool {
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
  var hasNews: Bool {
    task.recordsSinceCheckpoint > 0 || makesRows && task.hasRowsToMake
      || deliveries.heldByAll != gatheredHeld
      || sides.haveDelivered || lookups?.hasAnswers ?? false
      || task.marks.watermark != committed.watermark
      || partitions.contains { number, _ in
        source.progress(of: number).nextOffset
          != committed.partitions.first { $0.partition == number }?.nextOffset
      }
  }

  /// Gathers and hands over a checkpoint; waits only for one that is under way.
  func checkpoint() throws(RunFailure) {
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
      geography: geography, makesRows: makesRows, now: host.wall)
    if let failure = lookups?.failure { throw RunFailure(failure) }
    lookups?.hand(to: draft)
    draft.removeSides = sides.takeDelivered()
    lastCheckpointAt = host.monotonic
    rowsAreLeft = makesRows && task.hasRowsToMake
    writer.submit(draft)
  }

  func checkpointNow() throws(RunFailure) {
    try checkpoint()
    if let state = try writer.waitForResult() { afterCommit(state) }
  }

  func afterCommit(_ state: CheckpointState) {
    committed = state
    deliveries.notify(outboxRows: committed.outboxRows)
    sides.notify(state.checkpoint)
    source.mirror(state.partitions.map { ($0.partition, $0.nextOffset) })
    pauseOrResume()
  }

  func flushDurably() throws(RunFailure) {
    try task.flush()
    observer.decided(.flushed)
    #if PLANTED_BUGS
      if planted(.flushNotDurable) { return }
    #endif
    try checkpointNow()
  }

  // MARK: - The end

  /// The last checkpoints, and the outbox to the sinks, within `shutdownTimeout`.
  func finish() throws(RunFailure) {
    repeat { try checkpointNow() } while task.hasRowsToMake
    try awaitGeography()
    // What is made now might not be delivered any more.
    makesRows = false
    let deadline = host.monotonic + options.shutdownTimeout
    deliveries.finish()
    for notice in enrichmentNotices { observer.notice(notice) }
    var hasToldOfWait = false
    while true {
      try lookAtSinks()
      if sides.haveDelivered { try checkpointNow() }
      if lacking.isEmpty || host.monotonic >= deadline { break }
      if stop.isRequested, deliveries.isAnyDown || sides.isAnyDown, !hasToldOfWait {
        hasToldOfWait = true
        observer.notice(
          "the run ends; all that was read is in the state. It waits for its sinks, at most as long "
            + "as --shutdown-timeout says; a second signal ends it at once")
      }
      try poll()
    }
    let lacking = lacking
    if hasNews { try checkpointNow() }
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
    if task.awaitsGeography {
      observer.notice("the end is reached; lacking: " + lackingGeography.joined())
    }
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
      // Answers become durable, too, while the first row still waits.
      if task.hasRowsToMake || sides.haveDelivered || isCheckpointDue(now: host.monotonic) {
        repeat { try checkpointNow() } while task.hasRowsToMake
      }
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

  var lackingGeography: [String] {
    sessionsAwaitingGeography == 0
      ? [] : ["the geography of closed sessions, of which \(sessionsAwaitingGeography) wait"]
  }

  /// What does not hold yet all that it is to get, with the reason where there is one.
  var lacking: [String] {
    deliveries.lacking(committed) + sides.lacking(at: committed.checkpoint)
  }
}

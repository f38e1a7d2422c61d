import Enrichment
import EventSources
import SessionModel
import StateStore
import Windowing

/// What is looked at between batches: partitions that are ahead or idle, sinks, the geography service.
extension Run {
  func align() {
    if isPaused { return hold(Set(partitions.keys)) }
    guard let maxDrift = options.maxDrift, partitions.count > 1 else { return }
    let view = partitions.map { number, reading in
      Alignment.Partition(
        number: number, watermark: task.marks.partitionWatermark(of: number),
        hasMore: !reading.isAtStop && !task.marks.isIdle(number) && !source.isAtEnd(number))
    }
    hold(Set(Alignment.held(view, maxDrift: maxDrift)))
  }

  func hold(_ next: Set<Int32>) {
    if next == held { return }
    for partition in next.subtracting(held) { source.setHeld(true, partition: partition) }
    for partition in held.subtracting(next) { source.setHeld(false, partition: partition) }
    held = next
  }

  /// Timers, sinks, added partitions, messages.
  func lookAround(now: Int64) throws(RunFailure) {
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

  func lookAtSinks() throws(RunFailure) {
    for notice in try deliveries.look() + sides.look() { observer.notice(notice) }
  }

  /// Takes what a service has answered.
  func lookForGeography() throws(RunFailure) {
    guard let lookups else { return }
    lookups.refresh(now: host.wall)
    try task.lookForGeography(lookups)
    if let failure = lookups.failure { throw RunFailure(failure) }
  }

  /// Closed sessions that wait for a service, each of which will be a row.
  var sessionsAwaitingGeography: UInt64 {
    task.awaitsGeography ? task.table.closingSessions : 0
  }

  /// What waits for sinks stops reading at a bound, while polling goes on; never a sweep or a flush.
  func pauseOrResume() {
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
}

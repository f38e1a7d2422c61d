import Platform
import SessionModel
import Sinks
import StateStore

/// The work of a delivery: open, skip what the sink has, write the rest, and again after an error.
final class DeliveryWorker: Worker, @unchecked Sendable {
  // Unchecked: the host has one thread at a time call `step`, and nothing else is called.
  private let sink: SinkToOpen
  private let store: StateStore
  private let host: any RunHost
  private let desk: Monitor<Delivery.Desk>
  private let changed: @Sendable () -> Void
  private let removedUpTo: RowPosition?
  private let bounds: SinkBundle
  /// When rows are written although there are few; the first ones at once.
  private var dueAt: Int64
  private var progress: SinkProgress
  /// The position that the sink said it holds.
  private var held: RowPosition?
  /// Rows up to here have been seen in the outbox: written or skipped.
  private var cursor: RowPosition?
  /// Rows of ours up to here are on their way with unknown outcome: not counted as skipped.
  private var attempted: RowPosition?
  private var claim = SinkClaim.first
  /// Whether the sink has answered since the last error.
  private var isOpen = false
  private var backoff = Backoff()
  /// Whether the last write failed: opening alone does not prove that the sink is back.
  private var writeFailed = false

  init(
    sink: SinkToOpen, progress: SinkProgress, removedUpTo: RowPosition?, bounds: SinkBundle,
    store: StateStore, host: any RunHost, desk: Monitor<Delivery.Desk>,
    changed: @escaping @Sendable () -> Void
  ) {
    self.sink = sink
    self.progress = progress
    self.removedUpTo = removedUpTo
    self.bounds = bounds
    dueAt = host.monotonic
    self.store = store
    self.host = host
    self.desk = desk
    self.changed = changed
  }

  func step() -> WorkerStep {
    var next = WorkerStep.ended
    do throws(RunFailure) {
      next = try advance()
    } catch {
      report { $0.failure = error }
    }
    if next == .ended { sink.sink.close() }
    return next
  }

  private func advance() throws(RunFailure) -> WorkerStep {
    if desk.read({ $0.isClosing }) { return .ended }
    if !backoff.isOver(now: host.monotonic) { return .wait(until: backoff.retryAt) }
    if !isOpen {
      try open()
      return .again
    }
    return try deliverNext()
  }

  private func report(_ change: (inout Delivery.Status) -> Void) {
    desk.change { change(&$0.status) }
    changed()
  }

  /// Opens the sink, or has it tried again later where it is down.
  private func open() throws(RunFailure) {
    if claim == .first, hasDelivered, !sink.acceptMissingRows, sink.sink.isMissing {
      return tryAgain(after: missingMessage)
    }
    do throws(SinkError) {
      let found = try sink.sink.open(
        SinkClaimant(
          identity: sink.identity, owner: sink.owner, claim: claim, adopt: sink.adopt),
        acknowledged: claim == .first ? progress.acknowledged : held)
      let isFirst = claim == .first
      if isFirst { try start(at: found) } else { try resume(at: found) }
      claim = .again
      isOpen = true
      report { $0.isOpen = true }
      if isFirst, let remark = sink.sink.remark { report { $0.notices.append(remark) } }
      // A table that opens but takes no rows, on a full disk say, is not back yet.
      if !writeFailed { reportBack() }
    } catch .unavailable(let problem) {
      tryAgain(after: problem)
    } catch {
      throw RunFailure(error, sink: sink.name)
    }
  }

  /// The first time: compares what the sink holds with what the state can still give.
  private func start(at found: RowPosition?) throws(SinkError) {
    held = found
    #if PLANTED_BUGS
      if planted(.sinkNotAsked) { held = progress.acknowledged }
    #endif
    // A sink that started late holds nothing from before, and rightly so.
    let reaches = [found, progress.startedAt].compactMap { $0 }.max()
    if let removedUpTo, reaches.map({ $0 < removedUpTo }) ?? true {
      guard sink.acceptMissingRows else { throw .unsuitable(behindMessage(found, removedUpTo)) }
      progress.startedAt = removedUpTo
      cursor = removedUpTo
    } else {
      // Rows from the acknowledged one on that the sink has already are skipped and counted.
      if let reaches, let acknowledged = progress.acknowledged {
        cursor = min(reaches, acknowledged)
      }
    }
    acknowledge(cursor)
  }

  /// Whether the state knows of a row that the sink was given.
  private var hasDelivered: Bool {
    progress.acknowledged != nil && progress.acknowledged != progress.startedAt
  }

  private var missingMessage: String {
    """
    \(sink.url) is not there, though the state has delivered rows to it: is its disk mounted? \
    Nothing was made in its place; it is waited for. If it was deleted for good: delete the state \
    directory, too, and run again (the same rows are derived from the log, as far back as it \
    reaches), or go on without the missing rows: --accept-missing-rows \(sink.name)
    """
  }

  private func behindMessage(_ found: RowPosition?, _ removed: RowPosition) -> String {
    """
    the table ends at row \(found?.description ?? "none"), but the state has delivered rows up to \
    \(removed), which are no longer in its outbox: a restored backup? Nothing was changed, the \
    state is safe. Either delete the state directory and run again (the same rows are derived from \
    the log, as far back as it reaches), or go on without the missing rows: \
    --accept-missing-rows \(sink.name)
    """
  }

  /// After an error: what was on its way is there, or is not.
  private func resume(at found: RowPosition?) throws(SinkError) {
    if let held, found.map({ $0 < held }) ?? true {
      throw .moved(
        """
        the table held row \(held) and now ends at \(found?.description ?? "none"): it was changed \
        by somebody else. The state is safe. Stop the run, see what was restored or deleted, and \
        start again
        """)
    }
    #if PLANTED_BUGS
      if planted(.unknownTakenAsFailed) { return }
    #endif
    held = found
  }

  /// Takes the next rows of the outbox to the sink, if they are enough or have waited long enough.
  private func deliverNext() throws(RunFailure) -> WorkerStep {
    let (isFinishing, outboxRows) = desk.read { ($0.isFinishing, $0.outboxRows) }
    let isDue = isFinishing || host.monotonic >= dueAt
    if !isDue, outboxRows < UInt64(bounds.rows) { return .wait(until: dueAt) }
    let rows = try read()
    guard let last = rows.lastPosition else { return .wait(until: nil) }
    if !isDue, !isFull(rows) { return .wait(until: dueAt) }
    let fresh = try skip(rows)
    if fresh.isEmpty {
      pass(last)
      return .again
    }
    attempted = last
    #if PLANTED_BUGS
      if planted(.acknowledgedBeforeWrite) { acknowledge(last) }
    #endif
    do throws(SinkError) {
      try sink.sink.write(after: held, rows: fresh)
    } catch .unavailable(let problem) {
      writeFailed = true
      tryAgain(after: problem)
      return .again
    } catch {
      throw RunFailure(error, sink: sink.name)
    }
    held = last
    pass(last)
    // More than one write's rows are there: they have waited, too.
    if !isFull(rows) { dueAt = host.monotonic + bounds.interval }
    return .again
  }

  /// Whether a bound of a write was reached, as far as can be told.
  private func isFull(_ rows: RowBatch) -> Bool {
    rows.count >= bounds.rows || rows.bytes.count >= bounds.bytes / 2
  }

  /// The sink holds the rows up to here.
  private func pass(_ last: RowPosition) {
    cursor = last
    writeFailed = false
    reportBack()
    acknowledge(last)
  }

  /// Says once that the sink is down, and has it opened again after a pause, longer each time.
  private func tryAgain(after problem: String) {
    sink.sink.close()
    isOpen = false
    report {
      if $0.problem == nil { $0.notices.append("waits: \(problem)") }
      $0.problem = problem
    }
    backoff.failed(now: host.monotonic)
  }

  /// Says that the sink is back, if it was down.
  private func reportBack() {
    if !backoff.isFailing { return }
    backoff.succeeded()
    report {
      if let problem = $0.problem { $0.notices.append("is back after: \(problem)") }
      $0.problem = nil
    }
  }

  private func read() throws(RunFailure) -> RowBatch {
    do throws(StateError) {
      return try store.readOutbox(
        after: cursor, maxRows: bounds.rows, maxBytes: bounds.bytes)
    } catch {
      throw RunFailure(error)
    }
  }

  /// Leaves out the rows that the sink holds already.
  private func skip(_ rows: RowBatch) throws(RunFailure) -> RowBatch {
    guard let held, let first = rows.firstPosition, first <= held else { return rows }
    var fresh = RowBatch()
    rows.forEachRow { row in
      if row.position > held {
        fresh.append(encoded: row.bytes)
      } else if attempted.map({ row.position > $0 }) ?? true {
        progress.skipped += 1
      }
    }
    #if PLANTED_BUGS
      if planted(.oneRowTooManySkipped) { return fresh.withoutFirst }
      if planted(.skippedUncounted) { progress.skipped = 0 }
    #endif
    return fresh
  }

  private func acknowledge(_ position: RowPosition?) {
    progress.acknowledged = position
    let progress = progress
    report { $0.progress = progress }
  }
}

#if PLANTED_BUGS
  extension RowBatch {
    fileprivate var withoutFirst: RowBatch {
      var rest = RowBatch()
      forEachRow { if $0.position != firstPosition { rest.append(encoded: $0.bytes) } }
      return rest
    }
  }
#endif

import SessionModel
import Sinks
import StateStore

/// The work of a delivery: open, skip what the sink has, write the rest, and again after an error.
struct DeliveryWorker {
  private let sink: SinkToOpen
  private let store: StateStore
  private let desk: DeliveryDesk
  private let removedUpTo: RowPosition?
  private var progress: SinkProgress
  /// The position that the sink said it holds.
  private var held: RowPosition?
  /// Rows up to here have been seen in the outbox: written or skipped.
  private var cursor: RowPosition?
  /// Rows of ours up to here are on their way with unknown outcome: not counted as skipped.
  private var attempted: RowPosition?
  private var claim = SinkClaim.first
  private var retryPause = RunLimits.firstRetryPause
  /// Whether the last write failed: opening alone does not prove that the sink is back.
  private var writeFailed = false

  init(
    sink: SinkToOpen, progress: SinkProgress, removedUpTo: RowPosition?, store: StateStore,
    desk: DeliveryDesk
  ) {
    self.sink = sink
    self.progress = progress
    self.removedUpTo = removedUpTo
    self.store = store
    self.desk = desk
  }

  mutating func run() {
    defer { sink.sink.close() }
    do throws(RunFailure) {
      guard try open() else { return }
      var seen: UInt64 = 0
      while !desk.isClosing() {
        if try !deliverNext() { seen = desk.waitForCommit(seen) }
      }
    } catch {
      desk.report { $0.failure = error }
    }
  }

  /// Opens the sink, trying again while it is down.
  ///
  /// - Returns: false if the run ends meanwhile.
  private mutating func open() throws(RunFailure) -> Bool {
    while true {
      do throws(SinkError) {
        let found = try sink.sink.open(
          identity: sink.identity, owner: sink.owner, claim: claim, adopt: sink.adopt)
        if claim == .first { try start(at: found) } else { try resume(at: found) }
        claim = .again
        desk.report { $0.isOpen = true }
        // A table that opens but takes no rows, on a full disk say, is not back yet.
        if !writeFailed { reportBack() }
        return true
      } catch .unavailable(let problem) {
        if !wait(after: problem) { return false }
      } catch {
        throw RunFailure(error, sink: sink.name)
      }
    }
  }

  /// The first time: compares what the sink holds with what the state can still give.
  private mutating func start(at found: RowPosition?) throws(SinkError) {
    held = found
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
  private mutating func resume(at found: RowPosition?) throws(SinkError) {
    if let held, found.map({ $0 < held }) ?? true {
      throw .moved(
        """
        the table held row \(held) and now ends at \(found?.description ?? "none"): it was changed \
        by somebody else. The state is safe. Stop the run, see what was restored or deleted, and \
        start again
        """)
    }
    held = found
  }

  /// Takes the next rows of the outbox to the sink.
  ///
  /// - Returns: false if there were none.
  private mutating func deliverNext() throws(RunFailure) -> Bool {
    let rows = try read()
    guard let last = rows.lastPosition else { return false }
    let fresh = try skip(rows)
    if fresh.isEmpty {
      pass(last)
      return true
    }
    attempted = last
    do throws(SinkError) {
      try sink.sink.write(after: held, rows: fresh)
    } catch .unavailable(let problem) {
      writeFailed = true
      if wait(after: problem) { _ = try open() }
      return true
    } catch {
      throw RunFailure(error, sink: sink.name)
    }
    held = last
    pass(last)
    return true
  }

  /// The sink holds the rows up to here.
  private mutating func pass(_ last: RowPosition) {
    cursor = last
    writeFailed = false
    reportBack()
    acknowledge(last)
  }

  /// Says once that the sink is down, and pauses, longer each time.
  ///
  /// - Returns: false if the run ends meanwhile.
  private mutating func wait(after problem: String) -> Bool {
    sink.sink.close()
    desk.report {
      if $0.problem == nil { $0.notices.append("waits: \(problem)") }
      $0.problem = problem
    }
    defer { retryPause = min(retryPause * 2, RunLimits.lastRetryPause) }
    return desk.pause(retryPause)
  }

  /// Says that the sink is back, if it was down.
  private mutating func reportBack() {
    if retryPause == RunLimits.firstRetryPause { return }
    retryPause = RunLimits.firstRetryPause
    desk.report {
      if let problem = $0.problem { $0.notices.append("is back after: \(problem)") }
      $0.problem = nil
    }
  }

  private func read() throws(RunFailure) -> RowBatch {
    do throws(StateError) {
      return try store.readOutbox(
        after: cursor, maxRows: RunLimits.rowsPerWrite, maxBytes: RunLimits.bytesPerWrite)
    } catch {
      throw RunFailure(error)
    }
  }

  /// Leaves out the rows that the sink holds already.
  private mutating func skip(_ rows: RowBatch) throws(RunFailure) -> RowBatch {
    guard let held, let first = rows.firstPosition, first <= held else { return rows }
    var fresh = RowBatch()
    rows.forEachRow { row in
      if row.position > held {
        fresh.append(encoded: row.bytes)
      } else if attempted.map({ row.position > $0 }) ?? true {
        progress.skipped += 1
      }
    }
    return fresh
  }

  private mutating func acknowledge(_ position: RowPosition?) {
    progress.acknowledged = position
    let progress = progress
    desk.report { $0.progress = progress }
  }
}

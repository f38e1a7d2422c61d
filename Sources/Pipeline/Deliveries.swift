import SessionModel
import Sinks
import StateStore

/// All sinks of a run: who there is, how far each is, and what the outbox can let go.
final class Deliveries {
  private let host: any RunHost
  private var deliveries: [Delivery] = []
  /// As of the last look.
  private(set) var statuses: [Delivery.Status] = []

  /// - Parameters:
  ///   - recovered: the state, which knows of the sinks of earlier runs.
  ///   - options: which sinks may be missing now (`--drop-sink`), and the bound of a write.
  ///   - changed: called by a delivery's worker after progress or a failure.
  /// - Throws: `RunFailure` where a sink of the state was not given; nothing was changed.
  init(
    _ sinks: [SinkToOpen], store: StateStore, host: any RunHost, options: RunOptions,
    changed: @escaping @Sendable () -> Void
  ) throws(RunFailure) {
    self.host = host
    let recovered = store.recovered
    let given = Set(sinks.map(\.name))
    for known in recovered.sinks where !given.contains(known.name) {
      if options.dropSinks.contains(known.name) { continue }
      throw RunFailure(
        .configuration,
        """
        the state delivers to a sink named '\(known.name)' (\(known.url)), which was not given. \
        Nothing was changed. Give it, or leave it behind for good with --drop-sink \(known.name)
        """)
    }
    for sink in sinks {
      let known = recovered.sinks.first { $0.name == sink.name }
      let progress =
        known
        ?? SinkProgress(
          name: sink.name, url: sink.url, acknowledged: recovered.newestRow,
          startedAt: recovered.newestRow)
      var notices: [String] = []
      if known == nil, let newest = recovered.newestRow {
        notices.append("is new to this state: it gets the rows behind \(newest), none before")
      }
      deliveries.append(
        try Delivery(
          sink: sink, progress: progress, notices: notices, removedUpTo: recovered.removedUpTo,
          bounds: Deliveries.bounds(of: sink, options), store: store, host: host, changed: changed))
    }
    statuses = deliveries.map { $0.status }
  }

  /// What bounds a write. As many rows as stop the reading never wait for more.
  private static func bounds(of sink: SinkToOpen, _ options: RunOptions) -> SinkBundle {
    guard var bundle = sink.sink.bundle else {
      return SinkBundle(
        interval: 0, rows: options.bounds.rowsPerWrite, bytes: RunLimits.bytesPerWrite)
    }
    bundle.rows = Int(min(UInt64(bundle.rows), options.outboxLimit))
    return bundle
  }

  /// Waits a short time until every sink has said whether its table is ours, so that a foreign
  /// table stops the run before anything is read.
  func waitForFirstTry() throws(RunFailure) {
    let deadline = host.monotonic + RunLimits.sinkCheckWait
    for delivery in deliveries { delivery.waitForFirstTry(until: deadline) }
    statuses = deliveries.map { $0.status }
    if let failure = statuses.lazy.compactMap(\.failure).first { throw failure }
  }

  /// A checkpoint was committed.
  ///
  /// - Parameter outboxRows: how many rows wait then.
  func notify(outboxRows: UInt64) {
    for delivery in deliveries { delivery.notify(outboxRows: outboxRows) }
  }

  /// The run ends: what is in the outbox is written without waiting for more.
  func finish() { for delivery in deliveries { delivery.finish() } }

  /// Takes over the deliveries' progress.
  ///
  /// - Returns: messages for people.
  /// - Throws: the first failure that a sink cannot recover from.
  func look() throws(RunFailure) -> [String] {
    statuses = deliveries.map { $0.takeStatus() }
    if let failure = statuses.lazy.compactMap(\.failure).first { throw failure }
    return statuses.flatMap { status in
      status.notices.map { "sink \(status.progress.name) \($0)" }
    }
  }

  var progress: [SinkProgress] { statuses.map(\.progress) }

  /// The last row that every sink holds; nil if one of them holds none.
  ///
  /// What the state remembers of a sink is not enough: one that was restored from a backup while it
  /// was down may need the rows again. So nil, too, until each has been opened and said what it holds.
  var heldByAll: RowPosition? {
    #if PLANTED_BUGS
      if planted(.removedWhenOneSinkHolds) {
        return statuses.compactMap(\.progress.acknowledged).max()
      }
    #endif
    var least: RowPosition?
    for status in statuses {
      guard status.isOpen, let held = status.progress.acknowledged else { return nil }
      least = least.map { min($0, held) } ?? held
    }
    return least
  }

  /// Whether a sink does not take rows now, as far as was last heard.
  var isAnyDown: Bool { statuses.contains { $0.problem != nil } }

  /// The sinks that lack rows of the outbox, with the reason where there is one. One that has not
  /// been opened yet may: it may have been restored from a backup, whatever the state remembers.
  ///
  /// - Parameter state: the last checkpoint.
  func lacking(_ state: CheckpointState) -> [String] {
    #if PLANTED_BUGS
      if planted(.endedWithRowsLeft) { return [] }
    #endif
    guard let newest = state.newestRow, state.outboxRows > 0 else { return [] }
    return statuses.filter {
      !$0.isOpen || ($0.progress.acknowledged ?? .least) < newest
    }.map { "\($0.progress.name) (\($0.problem ?? "still writing"))" }
  }

  /// Ends the workers after the writes under way; one that is stuck in a write is left behind, to
  /// end with the process.
  func close() {
    for delivery in deliveries { delivery.askToClose() }
    let deadline = host.monotonic + RunLimits.sinkCloseWait
    for delivery in deliveries { delivery.waitForEnd(until: deadline) }
  }
}

extension RowPosition {
  /// Before every row.
  static var least: RowPosition {
    RowPosition(sessionEnd: 0, sessionID: SessionID(words: (0, 0, 0, 0)))
  }
}

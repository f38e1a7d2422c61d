import Platform
package import SessionModel
package import Sinks
package import StateStore

/// The entries of a side output on their way out of the state, a batch at a time.
///
/// 1. The worker reads the first entries that the state keeps and has the sink make them durable.
/// 2. The next checkpoint removes them.
/// 3. Only then it reads again, so at most one batch is held by both. After a start or an error what
///    the sink holds of that one is removed first.
final class SideDelivery {
  struct Desk {
    /// Held by the sink, and to be removed by the next checkpoint.
    var delivered: SideBatch?
    /// A checkpoint that removes a batch is under way.
    var isRemoving = false
    /// The newest checkpoint.
    var committed: UInt64
    /// Nothing was kept as of this checkpoint.
    var emptyAt: UInt64?
    var isOpen = false
    /// Why the sink takes nothing now; nil while it does.
    var problem: String?
    var failure: RunFailure?
    var notices: [String] = []
    var isClosing = false
  }

  let output: SideOutput
  private let pauseAt: SideTotals
  private let desk: Monitor<Desk>
  private let host: any RunHost
  private let worker: any RunningWorker

  /// - Parameter changed: called by the worker after progress or a failure.
  init(
    _ side: SideToOpen, store: StateStore, host: any RunHost,
    changed: @escaping @Sendable () -> Void
  ) throws(RunFailure) {
    output = side.output
    pauseAt = side.pauseAt
    desk = Monitor(Desk(committed: store.recovered.checkpoint))
    self.host = host
    worker = try host.start(
      "side \(side.output.rawValue)",
      SideDeliveryWorker(side, store: store, host: host, desk: desk, changed: changed))
  }

  /// - Throws: a failure that the sink cannot recover from.
  func throwFailure() throws(RunFailure) {
    if let failure = desk.read({ $0.failure }) { throw failure }
  }

  /// Messages for people since the last call.
  func takeNotices() -> [String] {
    let notices: [String] = desk.change { desk in
      defer { desk.notices = [] }
      return desk.notices
    }
    return notices.map { "\(output.contents) \($0)" }
  }

  func waitForFirstTry(until deadline: Int64) {
    let _: Bool? = host.wait(for: desk, until: deadline) {
      $0.isOpen || $0.failure != nil || $0.problem != nil ? true : nil
    }
  }

  var isDown: Bool { desk.read { $0.problem != nil } }

  func isFull(_ kept: SideTotals) -> Bool {
    kept.rows >= pauseAt.rows || kept.bytes >= pauseAt.bytes
  }

  var hasDelivered: Bool { desk.read { $0.delivered != nil } }

  /// Gives the batch that is held elsewhere to the checkpoint that is being gathered.
  func takeDelivered() -> SideBatch? {
    desk.change { desk in
      guard let batch = desk.delivered else { return nil }
      desk.delivered = nil
      desk.isRemoving = true
      return batch
    }
  }

  /// The checkpoint gathered last was committed.
  func notify(_ checkpoint: UInt64) {
    desk.change {
      $0.isRemoving = false
      $0.committed = checkpoint
    }
    worker.wake()
  }

  /// Why something is still kept as of this checkpoint; nil if nothing is.
  func lack(at checkpoint: UInt64) -> String? {
    desk.read { desk in
      if desk.emptyAt == checkpoint { return nil }
      return "the \(output.contents) (\(desk.problem ?? "still writing"))"
    }
  }

  func askToClose() {
    desk.change { $0.isClosing = true }
    worker.wake()
  }

  func waitForEnd(until deadline: Int64) { worker.waitForEnd(until: deadline) }
}

/// A place for the entries of a side output, and how it is to be claimed.
package struct SideToOpen: @unchecked Sendable {
  // Unchecked: only the delivery's worker touches `sink` once the delivery has begun.
  package var output: SideOutput
  package var sink: any SideSink
  package var identity: JobIdentity
  package var owner: OwnerID
  package var adopt: Bool
  /// Reading pauses while so many are kept in the state.
  package var pauseAt: SideTotals

  package init(
    _ output: SideOutput, sink: any SideSink, identity: JobIdentity, owner: OwnerID, adopt: Bool,
    pauseAt: SideTotals
  ) {
    self.output = output
    self.sink = sink
    self.identity = identity
    self.owner = owner
    self.adopt = adopt
    self.pauseAt = pauseAt
  }
}

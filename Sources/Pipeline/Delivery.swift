import Platform
package import SessionModel
package import Sinks
import StateStore

/// The worker that brings the outbox's rows to one sink, in order, at the sink's own pace.
final class Delivery {
  /// How the delivery stands, for the processing thread.
  struct Status {
    var progress: SinkProgress
    /// Whether the table has been reached and is ours.
    var isOpen = false
    /// Why the sink does not take rows now; nil while it does.
    var problem: String?
    var failure: RunFailure?
    var notices: [String] = []
  }

  /// What the processing thread and the worker share.
  struct Desk {
    var status: Status
    var isClosing = false
    /// The run ends: nothing waits to be written together with more.
    var isFinishing = false
    /// Rows in the outbox at the last checkpoint: at least as many as wait for this sink.
    var outboxRows: UInt64 = 0
  }

  private let desk: Monitor<Desk>
  private let host: any RunHost
  private let worker: any RunningWorker

  /// - Parameters:
  ///   - progress: what the state knows of the sink; of a new one, where it starts.
  ///   - notices: messages to begin with.
  ///   - removedUpTo: rows up to here have left the outbox.
  ///   - bounds: of a write, unless the sink has bounds of its own.
  ///   - changed: called by the worker after progress or a failure.
  init(
    sink: SinkToOpen, progress: SinkProgress, notices: [String], removedUpTo: RowPosition?,
    bounds: SinkBundle, store: StateStore, host: any RunHost,
    changed: @escaping @Sendable () -> Void
  ) throws(RunFailure) {
    desk = Monitor(Desk(status: Status(progress: progress, notices: notices)))
    self.host = host
    worker = try host.start(
      "sink \(progress.name)",
      DeliveryWorker(
        sink: sink, progress: progress, removedUpTo: removedUpTo, bounds: bounds, store: store,
        host: host, desk: desk, changed: changed))
  }

  /// A checkpoint was committed: there may be rows.
  ///
  /// - Parameter outboxRows: how many there are for all sinks.
  func notify(outboxRows: UInt64) {
    desk.change { $0.outboxRows = outboxRows }
    worker.wake()
  }

  /// Has what is in the outbox written without waiting for more.
  func finish() {
    desk.change { $0.isFinishing = true }
    worker.wake()
  }

  /// The present status, notices and all.
  var status: Status { desk.read { $0.status } }

  /// The present status; its notices are taken out.
  func takeStatus() -> Status {
    desk.change { desk in
      defer { desk.status.notices = [] }
      return desk.status
    }
  }

  /// Waits until the table was reached, or could not be.
  func waitForFirstTry(until deadline: Int64) {
    let _: Bool? = host.wait(for: desk, until: deadline) {
      $0.status.isOpen || $0.status.failure != nil || $0.status.problem != nil ? true : nil
    }
  }

  /// Has the worker end after the write under way.
  func askToClose() {
    desk.change { $0.isClosing = true }
    worker.wake()
  }

  /// - Parameter deadline: monotonic; a worker that has not ended by then is left to itself.
  func waitForEnd(until deadline: Int64) { worker.waitForEnd(until: deadline) }
}

/// A sink and how it is to be claimed; handed to the delivery's worker.
package struct SinkToOpen: @unchecked Sendable {
  // Unchecked: only the delivery's worker touches `sink` once the delivery has begun.
  package var sink: any Sink
  package var name: String
  /// Without secrets.
  package var url: String
  package var identity: JobIdentity
  package var owner: OwnerID
  package var adopt: Bool
  package var acceptMissingRows: Bool

  package init(
    sink: any Sink, name: String, url: String, identity: JobIdentity, owner: OwnerID, adopt: Bool,
    acceptMissingRows: Bool
  ) {
    self.sink = sink
    self.name = name
    self.url = url
    self.identity = identity
    self.owner = owner
    self.adopt = adopt
    self.acceptMissingRows = acceptMissingRows
  }
}

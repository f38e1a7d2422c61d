import Platform
package import SessionModel
package import Sinks
import StateStore

/// The thread that brings the outbox's rows to one sink, in order, at the sink's own pace.
final class Delivery: Sendable {
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

  private struct Desk {
    var status: Status
    /// Counts commits, so that a waiting delivery looks at the outbox again.
    var commits: UInt64 = 0
    var isClosing = false
    var hasEnded = false
  }

  let name: String
  private let desk: Monitor<Desk>
  private let thread: WorkerThread

  /// - Parameters:
  ///   - progress: what the state knows of the sink; of a new one, where it starts.
  ///   - notices: messages to begin with.
  ///   - removedUpTo: rows up to here have left the outbox.
  ///   - changed: called on the delivery's thread after progress or a failure.
  init(
    sink: SinkToOpen, progress: SinkProgress, notices: [String], removedUpTo: RowPosition?,
    store: StateStore, changed: @escaping @Sendable () -> Void
  ) throws(RunFailure) {
    name = progress.name
    let desk = Monitor(Desk(status: Status(progress: progress, notices: notices)))
    self.desk = desk
    do throws(SystemError) {
      thread = try WorkerThread("sink \(progress.name)") {
        var worker = DeliveryWorker(
          sink: sink, progress: progress, removedUpTo: removedUpTo, store: store,
          desk: DeliveryDesk(
            report: { change in
              desk.change { change(&$0.status) }
              changed()
            },
            waitForCommit: { seen in
              desk.wait { $0.isClosing || $0.commits != seen ? .some($0.commits) : nil } ?? seen
            },
            pause: { span in
              let closing: Bool? = desk.wait(until: Clock.monotonic + span) {
                $0.isClosing ? true : nil
              }
              return closing == nil
            },
            isClosing: { desk.read { $0.isClosing } }))
        worker.run()
        desk.change { $0.hasEnded = true }
      }
    } catch {
      throw RunFailure(error)
    }
  }

  /// A checkpoint was committed: there may be rows.
  func notify() { desk.change { $0.commits += 1 } }

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
    _ = desk.wait(until: deadline) {
      $0.status.isOpen || $0.status.failure != nil || $0.status.problem != nil ? true : nil
    }
  }

  /// Has the thread end after the write under way.
  func askToClose() { desk.change { $0.isClosing = true } }

  /// - Parameter deadline: monotonic; a thread that has not ended by then is left to itself.
  func waitForEnd(until deadline: Int64) {
    if desk.wait(until: deadline, { $0.hasEnded ? true : nil }) != nil { thread.join() }
  }
}

/// A sink and how it is to be claimed; handed to the delivery's thread.
package struct SinkToOpen: @unchecked Sendable {
  // Unchecked: only the delivery's thread touches `sink` once the delivery has begun.
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

/// What the delivery's worker needs of its surroundings.
struct DeliveryDesk {
  var report: (_ change: (inout Delivery.Status) -> Void) -> Void
  /// Returns the number of commits once it differs from the one seen, or when closing.
  var waitForCommit: (_ seen: UInt64) -> UInt64
  /// Waits; false when closing.
  var pause: (_ span: Microseconds) -> Bool
  var isClosing: () -> Bool
}

import Platform
import SessionModel
import Sinks
import StateStore

/// The work of a side delivery: open, have removed what is there already, then read, write and wait
/// for the removal, again and again.
final class SideDeliveryWorker: Worker, @unchecked Sendable {
  // Unchecked: the host has one thread at a time call `step`, and nothing else is called.
  private let side: SideToOpen
  private let store: StateStore
  private let host: any RunHost
  private let desk: Monitor<SideDelivery.Desk>
  private let changed: @Sendable () -> Void
  private var claim = SinkClaim.first
  private var isOpen = false
  /// Whether what the sink held at its opening has been looked for in the state.
  private var isChecked = false
  private var backoff = Backoff()

  init(
    _ side: SideToOpen, store: StateStore, host: any RunHost, desk: Monitor<SideDelivery.Desk>,
    changed: @escaping @Sendable () -> Void
  ) {
    self.side = side
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
    if next == .ended { side.sink.close() }
    return next
  }

  private func advance() throws(RunFailure) -> WorkerStep {
    if desk.read({ $0.isClosing }) { return .ended }
    if !backoff.isOver(now: host.monotonic) { return .wait(until: backoff.retryAt) }
    if isOpen { return try deliver() }
    try open()
    return .again
  }

  private func open() throws(RunFailure) {
    do throws(SinkError) {
      try side.sink.open(
        identity: side.identity, owner: side.owner, claim: claim, adopt: side.adopt)
      claim = .again
      isOpen = true
      isChecked = false
      report { $0.isOpen = true }
    } catch {
      try fail(error)
    }
  }

  private func deliver() throws(RunFailure) -> WorkerStep {
    let (isWaiting, committed) = desk.read { ($0.delivered != nil || $0.isRemoving, $0.committed) }
    if isWaiting { return .wait(until: nil) }
    if !isChecked {
      let held = try read(maxRows: .max, maxBytes: .max) { side.sink.holds($0) }
      isChecked = true
      if !held.isEmpty {
        report { $0.delivered = held }
        return .wait(until: nil)
      }
    }
    let batch = try read(
      maxRows: RunLimits.sideEntriesPerWrite, maxBytes: RunLimits.bytesPerWrite
    ) { _ in true }
    if batch.isEmpty {
      report { $0.emptyAt = committed }
      return .wait(until: nil)
    }
    do throws(SinkError) {
      try side.sink.write(batch.entries)
      succeed(with: batch)
    } catch {
      try fail(error)
    }
    return .again
  }

  private func read(
    maxRows: Int, maxBytes: Int, where isWanted: (SideEntry) -> Bool
  ) throws(RunFailure) -> SideBatch {
    do throws(StateError) {
      return try store.readSide(
        side.output, maxRows: maxRows, maxBytes: maxBytes, where: isWanted)
    } catch {
      throw RunFailure(error)
    }
  }

  private func succeed(with batch: SideBatch) {
    let wasFailing = backoff.isFailing
    backoff.succeeded()
    report {
      $0.delivered = batch
      if wasFailing, let problem = $0.problem {
        $0.notices.append("are written again after: \(problem)")
      }
      $0.problem = nil
    }
  }

  /// Has it tried again later where the place is down.
  private func fail(_ error: SinkError) throws(RunFailure) {
    guard case .unavailable(let problem) = error else {
      throw RunFailure(error, sink: side.output.rawValue)
    }
    tryAgain(after: problem)
  }

  private func tryAgain(after problem: String) {
    side.sink.close()
    isOpen = false
    backoff.failed(now: host.monotonic)
    report {
      if $0.problem == nil { $0.notices.append("wait in the state: \(problem)") }
      $0.problem = problem
    }
  }

  private func report(_ change: (inout SideDelivery.Desk) -> Void) {
    desk.change { change(&$0) }
    changed()
  }
}

import Platform
import SessionModel
import StateStore

/// The worker that owns the state's write transactions. At most one checkpoint is under way.
final class CheckpointWriter {
  fileprivate struct Desk {
    var draft: CheckpointDraft?
    var isBusy = false
    var result: Result<CheckpointState, StateError>?
    var isClosing = false
  }
  private let desk = Monitor(Desk())
  private let host: any RunHost
  private let worker: any RunningWorker

  /// - Parameter committed: called by the worker after each commit, or failure of one.
  init(
    store: StateStore, host: any RunHost, committed: @escaping @Sendable () -> Void
  ) throws(RunFailure) {
    self.host = host
    worker = try host.start(
      "checkpoint", CommitWorker(store: store, desk: desk, committed: committed))
  }

  /// Whether the last draft is committed and its result was taken.
  var isIdle: Bool { desk.read { !$0.isBusy && $0.result == nil } }

  /// Hands a draft over; only while idle.
  func submit(_ draft: CheckpointDraft) {
    desk.change {
      precondition(!$0.isBusy, "one checkpoint at a time")
      $0.isBusy = true
      $0.draft = draft
    }
    worker.wake()
  }

  /// The state as of a commit that ended since the last call; nil if none did.
  ///
  /// - Throws: the commit's failure: the last checkpoint before it is intact.
  func takeResult() throws(RunFailure) -> CheckpointState? {
    let result: Result<CheckpointState, StateError>? = desk.change { desk in
      defer { desk.result = nil }
      return desk.result
    }
    return try CheckpointWriter.unwrap(result)
  }

  /// Waits for the commit under way and gives its result; nil if none is.
  func waitForResult() throws(RunFailure) -> CheckpointState? {
    let result: Result<CheckpointState, StateError>?? = host.wait(for: desk, until: nil) { desk in
      if desk.isBusy { return nil }
      defer { desk.result = nil }
      return .some(desk.result)
    }
    return try CheckpointWriter.unwrap(result ?? nil)
  }

  private static func unwrap(
    _ result: Result<CheckpointState, StateError>?
  ) throws(RunFailure) -> CheckpointState? {
    switch result {
    case .success(let state): return state
    case .failure(let error): throw RunFailure(error)
    case nil: return nil
    }
  }

  /// Ends the worker after the draft under way.
  func close() {
    desk.change { $0.isClosing = true }
    worker.wake()
    worker.waitForEnd(until: nil)
  }
}

/// Commits one draft after the other.
private final class CommitWorker: Worker {
  private let store: StateStore
  private let desk: Monitor<CheckpointWriter.Desk>
  private let committed: @Sendable () -> Void

  init(
    store: StateStore, desk: Monitor<CheckpointWriter.Desk>,
    committed: @escaping @Sendable () -> Void
  ) {
    self.store = store
    self.desk = desk
    self.committed = committed
  }

  func step() -> WorkerStep {
    let draft: CheckpointDraft? = desk.change { desk in
      defer { desk.draft = nil }
      return desk.draft
    }
    guard let draft else { return desk.read { $0.isClosing } ? .ended : .wait(until: nil) }
    let result: Result<CheckpointState, StateError>
    do throws(StateError) {
      result = .success(try store.commit(draft))
    } catch {
      result = .failure(error)
    }
    desk.change {
      $0.isBusy = false
      $0.result = result
    }
    committed()
    return .again
  }
}

import Platform
import SessionModel
import StateStore

/// The thread that owns the state's write transactions. At most one checkpoint is under way.
final class CheckpointWriter: Sendable {
  private struct Desk {
    var draft: CheckpointDraft?
    var isBusy = false
    var result: Result<CheckpointState, StateError>?
    var isClosing = false
  }
  private let desk = Monitor(Desk())
  private let thread: WorkerThread

  /// - Parameter committed: called on the writer's thread after each commit, or failure of one.
  init(
    store: StateStore, committed: @escaping @Sendable () -> Void
  ) throws(RunFailure) {
    let desk = desk
    do throws(SystemError) {
      thread = try WorkerThread("checkpoint") {
        while let draft = CheckpointWriter.next(desk) {
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
        }
      }
    } catch {
      throw RunFailure(error)
    }
  }

  private static func next(_ desk: Monitor<Desk>) -> CheckpointDraft? {
    let next: CheckpointDraft?? = desk.wait { desk in
      if let draft = desk.draft {
        desk.draft = nil
        return .some(draft)
      }
      return desk.isClosing ? .some(nil) : nil
    }
    return next ?? nil
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
    let result: Result<CheckpointState, StateError>?? = desk.wait { desk in
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

  /// Ends the thread after the draft under way.
  func close() {
    desk.change { $0.isClosing = true }
    thread.join()
  }
}

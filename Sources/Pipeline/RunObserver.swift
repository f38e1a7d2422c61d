package import SessionModel
package import StateStore

/// What happened in a run, for its last line.
package struct RunSummary: Sendable {
  /// The last checkpoint.
  package var state: CheckpointState
  package var recordsThisRun: UInt64
  package var elapsed: Microseconds
}

/// What a run tells while it goes on; called on the processing thread.
package struct RunObserver {
  /// A message for people.
  package var notice: (String) -> Void
  /// About every 100 ms, and at the end: records read since the state was made, and where reading
  /// stands: offsets done and to do over all partitions of a bounded run, else nil.
  package var progress: (_ recordsRead: UInt64, _ part: (done: Int64, all: Int64)?) -> Void
  /// Once, when the first new record has been processed: the recovery is over.
  package var firstRecord: () -> Void
  /// Something outside the log moved the watermark, or may have.
  package var decided: (Decision) -> Void

  /// What is not part of the pure function of the log (docs/semantics.md).
  package enum Decision: Equatable, Sendable {
    /// The partition left the watermark's minimum as idle, or came back without an event.
    case idle(Bool, partition: Int32)
    /// It left the minimum for good: it is at its stop.
    case retired(partition: Int32)
    /// Every session was closed.
    case flushed
  }

  package init(
    notice: @escaping (String) -> Void,
    progress: @escaping (UInt64, (done: Int64, all: Int64)?) -> Void,
    firstRecord: @escaping () -> Void = {}, decided: @escaping (Decision) -> Void = { _ in }
  ) {
    self.notice = notice
    self.progress = progress
    self.firstRecord = firstRecord
    self.decided = decided
  }
}

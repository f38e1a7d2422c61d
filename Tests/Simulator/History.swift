import StateStore

/// What a task did, in order: all that its state may depend on.
///
/// Decisions that a clock had a say in stand in it as they were made, so that the oracle can replay
/// them.
struct History {
  enum Operation: Equatable {
    /// A process began to read; nothing is idle or at its stop any more.
    case started(partitions: Int)
    /// There are so many now.
    case added(partitions: Int)
    /// The record with this index in the partition's log was judged.
    case read(partition: Int, record: Int)
    case idle(Bool, partition: Int)
    case retired(partition: Int)
    case flushed
  }

  /// Which operations a checkpoint holds, and where reading stood.
  struct Mark {
    var operations: Int
    var positions: [Int64]
  }

  /// How the state stood when the present process took it up.
  struct Start {
    var process: Int
    var sinks: [SinkProgress]
  }

  private(set) var operations: [Operation] = []
  private(set) var start: Start?
  private var marks: [UInt64: Mark] = [:]
  /// The last checkpoint whose commit was let through.
  private(set) var committed: UInt64 = 0
  private var gathered: Mark?

  mutating func begin(_ start: Start) { self.start = start }

  mutating func add(_ operation: Operation) { operations.append(operation) }

  /// A checkpoint is gathered now.
  mutating func gather(positions: [Int64]) {
    gathered = Mark(operations: operations.count, positions: positions)
  }

  mutating func commit(_ checkpoint: UInt64) {
    marks[checkpoint] = gathered
    committed = checkpoint
  }

  /// Nil before the first checkpoint.
  var mark: Mark? { marks[committed] }

  /// Whether a flush is not durable yet.
  var owesFlush: Bool {
    operations[(mark?.operations ?? 0)...].contains(.flushed)
  }

  /// The operations that the last checkpoint holds.
  var committedOperations: ArraySlice<Operation> { operations[..<(mark?.operations ?? 0)] }

  /// Forgets what is not in the last checkpoint, as a kill does.
  mutating func truncate() {
    operations.removeSubrange((mark?.operations ?? 0)...)
    gathered = nil
  }
}

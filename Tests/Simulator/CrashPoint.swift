package import StateStore

/// The steps of the protocol: a process can be made to die at each.
package enum CrashPoint: Hashable, CaseIterable, Sendable {
  /// The state is open, nothing of it is recovered.
  case stateOpened
  /// The sessions' headers are read; nothing else has happened.
  case recovered
  case sourceOpened
  /// Before the next records are taken.
  case beforeBatch
  /// A checkpoint is about to be gathered.
  case beforeGathering
  /// Everything is flushed in memory, and not durable.
  case flushed
  /// Inside the commit's transaction, before each of its steps.
  case committing(CommitStep)
  /// The commit is durable; the processing thread does not know it.
  case committed
  /// It knows it, has told the deliveries, and shows the offsets.
  case mirroring
  case beforeClaim
  /// The table is ours, and the delivery does not know it.
  case claimed
  case beforeWrite
  /// Rows and position are durable in the sink; the delivery does not know it.
  case written
  /// The delivery has told the processing thread.
  case acknowledged
  /// The end of the run: the last checkpoints, and waiting for the sinks.
  case finishing

  package static let allCases: [CrashPoint] =
    [
      .stateOpened, .recovered, .sourceOpened, .beforeBatch, .beforeGathering, .flushed,
      .committed, .mirroring, .beforeClaim, .claimed, .beforeWrite, .written, .acknowledged,
      .finishing,
    ] + CommitStep.allCases.map { .committing($0) }
}

/// When a process dies.
enum CrashPlan {
  /// At a point, the how manieth time it gets there.
  case at(CrashPoint, visit: Int)
  /// At the so manieth of all the points that it passes.
  case atStep(Int)
}

/// Other things that go wrong, or happen at an inconvenient time.
package enum Disturbance: Hashable, CaseIterable, Sendable {
  case sinkFailedBeforeWrite, sinkFailedBehindWrite, sinkWentDown, endedWithoutSink
  case brokersAway, workerStalled, partitionDelayed, partialBatch, endUnknown
  case becameIdle, returnedFromIdle, retired, flushed
  case readingPaused, partitionHeld
  case stateRestored, stateLost, secondOwner, olderOwnerRefused
  case stoppedByRequest, partitionAdded
  case addressAsked, rowAwaitedGeography, endedAwaitingGeography
}

/// How often each kind of fault came about.
package struct Coverage: Sendable, CustomStringConvertible {
  package private(set) var crashes: [CrashPoint: Int] = [:]
  package private(set) var disturbances: [Disturbance: Int] = [:]
  package private(set) var lives = 0
  package private(set) var checkpoints = 0

  package init() {}

  mutating func count(_ point: CrashPoint) { crashes[point, default: 0] += 1 }
  mutating func count(_ disturbance: Disturbance) { disturbances[disturbance, default: 0] += 1 }
  mutating func countLife() { lives += 1 }
  mutating func countCheckpoint() { checkpoints += 1 }

  package mutating func add(_ other: Coverage) {
    crashes.merge(other.crashes, uniquingKeysWith: +)
    disturbances.merge(other.disturbances, uniquingKeysWith: +)
    lives += other.lives
    checkpoints += other.checkpoints
  }

  /// One line for each kind.
  package var description: String {
    let points = CrashPoint.allCases.map { "crash \($0): \(crashes[$0, default: 0])" }
    let others = Disturbance.allCases.map { "\($0): \(disturbances[$0, default: 0])" }
    return (points + others).joined(separator: "\n")
  }

  /// The kinds that came about less often than this.
  package func missing(below least: Int) -> [String] {
    CrashPoint.allCases.filter { crashes[$0, default: 0] < least }.map { "\($0)" }
      + Disturbance.allCases.filter { disturbances[$0, default: 0] < least }.map { "\($0)" }
  }
}

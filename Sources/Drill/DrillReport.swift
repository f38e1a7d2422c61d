package import SessionModel
package import Sinks

/// What a drill did and found.
package struct DrillReport {
  package var events = 0
  package var partitions = 0
  /// Strikes that were made, by fault.
  package var strikes: [Fault: Int] = [:]
  /// Where the strikes met a process.
  package var phases: [Phase: Int] = [:]
  /// Lives that began with a part of the log read, and a part not.
  package var resumedInTheMiddle = 0
  /// Of the full disks: those that ended the process, with the exit code for it. The others were
  /// over before it had to write.
  package var stoppedByFullDisk = 0
  /// From exec to the first new record, of each life that went so far.
  package var recovery = Spread()
  /// From the end of an outage to newly durable records, where the process lived through it.
  package var resumption = Spread()
  package var counters = Counters()
  package var sinks: [SinkResult] = []
  /// What differs besides rows.
  package var differences: [String] = []
  /// All of the drill, µs.
  package var elapsed: Microseconds = 0

  /// What a process was doing when it was struck.
  package enum Phase: String, CaseIterable, Sendable {
    /// Opening and recovering, up to the first new record.
    case startUp
    case reading
    /// On its way to a clean end: the last checkpoint, the last rows.
    case draining
  }

  package struct SinkResult {
    package var sink: SinkAddress
    package var comparison: RowComparison
  }

  package var isEqual: Bool {
    differences.isEmpty && sinks.allSatisfy(\.comparison.isEqual)
  }
}

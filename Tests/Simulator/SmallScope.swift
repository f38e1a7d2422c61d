import EventDecoding
import Pipeline
import SessionModel
import TestSupport

/// Every case of a small scope: all logs of a few events of one visitor, in all orders, on a grid of
/// times that has the border of the gap and that of lateness in it, and one microsecond beside both;
/// each read by a process that is killed at each of its steps, and by another that goes on behind
/// the kill.
///
/// What goes wrong mostly does so in a small case, if all of them are tried (Jackson, "Software
/// Abstractions", 2006: the small scope hypothesis).
package struct SmallScope {
  /// Events of a log, at most.
  private let events: Int
  /// Partitions over which the events are spread in every way.
  private let partitions: Int
  /// Whether the killed process may also end, and close all sessions, before each event.
  private let flushes: Bool

  /// The events' times, µs: apart from 0 to one more than it takes to close a session.
  private static let times = 0..<5
  private static let spans = SimulatedLog.Spans(gap: 2, outOfOrderness: 1, futureSkew: nil)

  package struct Result: CustomStringConvertible {
    package var logs = 0
    /// Steps at which a process was killed.
    package var kills = 0
    /// Those that left something else behind than the one before; the others need no second try.
    package var restarts = 0
    package var checkpoints = 0
    package var findings = 0

    package var description: String {
      "\(logs) logs, \(kills) kills, \(restarts) of them with a new outcome, "
        + "\(checkpoints) checkpoints, \(findings) findings"
    }
  }

  private struct Case {
    var log: [SimulatedLog.Place]
    /// How many of the events the first process has to read.
    var length: Int
    /// The step at which it is killed; nil for none.
    var step: Int?
  }

  /// What a kill leaves behind differs where this does.
  private struct Outcome: Equatable {
    var committed: UInt64
    var rows: Int
    var claims: Int
  }

  package init(events: Int, partitions: Int = 1, flushes: Bool = false) {
    self.events = events
    self.partitions = partitions
    self.flushes = flushes
  }

  /// - Parameter found: called with each case that differs, and what differs first.
  package func run(stopsAtFinding: Bool = false, _ found: (String) -> Void) -> Result {
    var result = Result()
    for count in 1...events {
      forEachLog(of: count) { log in
        result.logs += 1
        for length in (flushes ? 1 : count)...count where !stopsAtFinding || result.findings == 0 {
          run(log, length, &result, found)
        }
      }
    }
    return result
  }

  /// Logs that differ only by a shift in time are one: the least time is 0. So are those that differ
  /// only by the names of the partitions: the first event is in partition 0.
  private func forEachLog(of count: Int, _ body: ([SimulatedLog.Place]) -> Void) {
    let choices = SmallScope.times.count * partitions
    let all = (0..<count).reduce(1) { all, _ in all * choices }
    for number in 0..<all {
      var rest = number
      let log = (0..<count).map { _ in
        defer { rest /= choices }
        return SimulatedLog.Place(
          partition: rest % choices / SmallScope.times.count,
          time: Microseconds(rest % SmallScope.times.count))
      }
      if log[0].partition == 0, log.contains(where: { $0.time == 0 }) { body(log) }
    }
  }

  /// Tries a process that reads the first `length` events, and those that are killed on the way.
  private func run(
    _ log: [SimulatedLog.Place], _ length: Int, _ result: inout Result, _ found: (String) -> Void
  ) {
    var one = Case(log: log, length: length)
    var kills: [Int] = []
    var step = 0
    var last: Outcome?
    run(one, &result, found) { state, table in
      step += 1
      let outcome = Outcome(
        committed: state.history.value.committed, rows: table.rows.count,
        claims: table.claims.count)
      if outcome != last { kills.append(step) }
      last = outcome
    }
    result.kills += step
    result.restarts += kills.count
    for kill in kills {
      one.step = kill
      run(one, &result, found) { _, _ in }
    }
  }

  /// - Parameter onPass: called at each step of the first process.
  private func run(
    _ one: Case, _ result: inout Result, _ found: (String) -> Void,
    onPass: @escaping (TaskState, SimulatedTable) -> Void
  ) {
    let directory = TemporaryDirectory(inMemory: true)
    let stage = Stage(
      World(seed: 0), SimulatedLog(one.log, partitions: partitions), SmallScope.spans, tables: 1,
      directory: directory.path)
    let state = stage.newState()
    let table = stage.tables[0]
    let first = Array(one.log.prefix(one.length))
    let crash = one.step.map { CrashPlan.atStep($0) }
    stage.live(
      on: state, crash: crash, isLast: crash == nil, onPass: { onPass(state, table) },
      plan: { _ in plan(first, of: one.log) })
    if stage.world.finding == nil, crash != nil || one.length < one.log.count {
      stage.live(on: state, crash: nil, isLast: true) { _ in plan(one.log, of: one.log) }
    }
    if stage.world.finding == nil {
      stage.checkEnd(state, isPure: one.length == one.log.count, isWhole: true)
    }
    result.checkpoints += stage.world.coverage.checkpoints
    guard let finding = stage.world.finding else { return }
    result.findings += 1
    let events = one.log.map { $0.partition == 0 ? "\($0.time)" : "\($0.time)'" }
    found(
      "times \(events.joined(separator: " ")), \(one.length) of them read first"
        + "\(one.step.map { ", killed at step \($0)" } ?? ""): \(finding)")
  }

  /// A bounded run over the first events of a log, with a checkpoint after each, one row at a time.
  private func plan(_ first: [SimulatedLog.Place], of log: [SimulatedLog.Place]) -> Stage.Plan {
    var source = SimulatedSource.Plan()
    source.isBounded = true
    source.partitions = partitions
    source.visible = (0..<partitions).map { partition in
      first.count { $0.partition == partition }
    }
    source.batchRecords = 1
    source.order = log.map(\.partition)
    var options = RunOptions()
    options.gap = SmallScope.spans.gap
    options.outOfOrderness = SmallScope.spans.outOfOrderness
    options.maxFutureSkew = nil
    options.maxDrift = nil
    options.idleTimeout = nil
    options.quietClose = nil
    options.isBounded = true
    options.closeAll = true
    options.checkpointInterval = 0
    options.shutdownTimeout = 60 * .perSecond
    options.decoding.timeUnit = .microseconds
    options.bounds.rowsPerCheckpoint = 1
    options.bounds.rowsPerWrite = 1
    return Stage.Plan(source: source, options: options)
  }
}

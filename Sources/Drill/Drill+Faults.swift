import Glibc
import Platform
import SessionModel
import Sinks
import StateStore

/// What each fault does, and what the process must do then.
extension Drill {
  /// One kill in this many comes while the process drains after SIGTERM.
  private static let drainingKillOneIn: Int64 = 10
  private static let drainingSpan: Microseconds = 20_000
  /// One outage in this many outlasts time-outs: SQLite's 5 s for a lock, the lock of a directory.
  private static let longOutageOneIn: Int64 = 16
  private static let longOutage: ClosedRange<Microseconds> = 5_200_000...6_500_000
  private static let shortOutage: ClosedRange<Microseconds> = 20_000...600_000
  /// Sent at each look at a process whose disk is full.
  private static let eventsPerLook = 10
  /// One state in this many is copied for later.
  private static let copyOneIn: Int64 = 3

  /// - Parameter rest: events are sent no further meanwhile.
  func apply(
    _ fault: Fault, to life: Life, sendingUpTo rest: Int
  ) throws(DrillFailure) {
    switch fault {
    case .kill: try kill(life)
    case .stop:
      let phase: DrillReport.Phase = life.startUp == nil ? .startUp : .reading
      try stop(life)
      bury(life, struckWhile: phase)
    case .brokerDown:
      let brokers = try log.setDown(isAll: random.oneIn(2), random: &random)
      try listen(to: life, until: Clock.monotonic + outageSpan())
      try log.setUp(brokers)
    case .leaderChange: try log.moveLeaders(random: &random)
    case .sinkDown: try takeSinkDown(life)
    case .diskFull: try fillDisk(life, sendingUpTo: rest)
    case .stateLost:
      try kill(life)
      try loseState()
    case .stateOld:
      try kill(life)
      try ageState()
    }
  }

  private func outageSpan() -> Microseconds {
    random.within(random.oneIn(Drill.longOutageOneIn) ? Drill.longOutage : Drill.shortOutage)
  }

  private func kill(_ life: Life) throws(DrillFailure) {
    let drains = random.oneIn(Drill.drainingKillOneIn)
    let phase: DrillReport.Phase? = drains && life.startUp != nil ? .draining : nil
    if drains {
      life.signal(SIGTERM)
      life.listen(until: Clock.monotonic + random.below(Drill.drainingSpan))
    }
    let end = life.kill()
    let hasDrained = drains && end == .exited(ExitCode.success.rawValue)
    if end != .killed(signal: SIGKILL), !hasDrained { throw unexpected(end, of: life) }
    bury(life, struckWhile: phase)
  }

  private func takeSinkDown(_ life: Life) throws(DrillFailure) {
    let sink = random.pick(place.sinks)
    if sink.scheme == .kafka {
      log.setTopic(sink.rest, isDown: true)
      defer { log.setTopic(sink.rest, isDown: false) }
      return try listen(to: life, until: Clock.monotonic + outageSpan())
    }
    let kind = random.pick(Sinks.outages(of: sink.scheme))
    let outage: any SinkOutage
    do throws(SinkError) {
      outage = try Sinks.beginOutage(
        kind, of: sink, table: place.table, options: place.options)
    } catch {
      throw DrillFailure(error)
    }
    defer { outage.end() }
    try listen(to: life, until: Clock.monotonic + outageSpan())
  }

  private func fillDisk(_ life: Life, sendingUpTo rest: Int) throws(DrillFailure) {
    guard let disk else { preconditionFailure("the disk was asked for") }
    do throws(SystemError) { try disk.fill() } catch { throw DrillFailure(error) }
    let deadline = Clock.monotonic + random.within(Drill.shortOutage)
    var end: ChildProcess.End?
    // Something has to be written while there is no room.
    while end == nil, Clock.monotonic < deadline {
      try log.send(upTo: min(rest, log.sent + Drill.eventsPerLook))
      end = life.waitForEnd(until: Clock.monotonic + DrillLimits.pollInterval)
    }
    do throws(SystemError) { try disk.free() } catch { throw DrillFailure(error) }
    if let end { try buryAfterFullDisk(life, end) }
  }

  /// The one exit code that a full disk may lead to.
  private func buryAfterFullDisk(
    _ life: Life, _ end: ChildProcess.End
  ) throws(DrillFailure) {
    if end != .exited(ExitCode.inputOutput.rawValue) { throw unexpected(end, of: life) }
    report.stoppedByFullDisk += 1
    bury(life)
  }

  /// Waits until a life that came through an outage makes new records durable.
  func awaitProgress(of life: Life, after fault: Fault) throws(DrillFailure) {
    try log.flush()
    let begin = Clock.monotonic
    let phase: DrillReport.Phase = life.startUp == nil ? .startUp : .reading
    let before = try recordsNow()
    while try recordsNow() == before {
      // Nothing is left to read.
      if before >= UInt64(log.sent) { break }
      // A write that failed while the disk was full may end the process a little later.
      if fault == .diskFull, let end = life.end { return try buryAfterFullDisk(life, end) }
      if Clock.monotonic - begin > DrillLimits.patience {
        throw DrillFailure(
          found: "no new record in \(DrillLimits.patience / .perSecond) s after an outage",
          messages: life.messages)
      }
      life.listen(until: Clock.monotonic + DrillLimits.pollInterval)
      try checkStopped()
      if fault != .diskFull, let end = life.end { throw unexpected(end, of: life) }
    }
    report.phases[phase, default: 0] += 1
    report.resumption.add(Clock.monotonic - begin)
  }

  private func recordsNow() throws(DrillFailure) -> UInt64 {
    try place.inspect()?.counters.recordsRead ?? 0
  }

  // MARK: - States that are lost

  private func loseState() throws(DrillFailure) {
    do throws(SystemError) { try Files.removeTree(place.state) } catch {
      throw DrillFailure(error)
    }
    progress = 0
  }

  /// Puts an older copy of the state back; while there is none, the oldest state is none at all.
  private func ageState() throws(DrillFailure) {
    try loseState()
    if hasOlderState { try Drill.copyState(older, to: place.state) }
  }

  /// Keeps a copy of some of the states that ended lives leave.
  func keepStateForLater() throws(DrillFailure) {
    guard options.faults.contains(.stateOld), life == nil, progress > 0,
      !hasOlderState || random.oneIn(Drill.copyOneIn)
    else { return }
    do throws(SystemError) { try Files.removeTree(older) } catch { throw DrillFailure(error) }
    try Drill.copyState(place.state, to: older)
    hasOlderState = true
  }

  private static func copyState(
    _ source: String, to target: String
  ) throws(DrillFailure) {
    do throws(SystemError) { try Files.makeDirectory(target, mode: 0o700) } catch {
      throw DrillFailure(error)
    }
    do throws(StateError) {
      try StateReader.open(directory: source).copy(to: target + "/data.mdb")
    } catch {
      throw DrillFailure(error)
    }
  }
}

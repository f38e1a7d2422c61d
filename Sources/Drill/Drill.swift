import Glibc
package import Platform
import SessionModel
import Sinks
import StateStore

/// What a drill tells while it goes on.
package struct DrillObserver {
  /// How far a part of the drill is.
  package var progress: (_ title: String, _ done: Int, _ total: Int, _ unit: String) -> Void
  /// Whether the drill is to end without a verdict.
  package var isStopped: () -> Bool

  package init(
    progress: @escaping (String, Int, Int, String) -> Void, isStopped: @escaping () -> Bool
  ) {
    self.progress = progress
    self.isStopped = isStopped
  }
}

/// Runs the program over a log while faults strike it, then once without, and compares.
///
/// One thread does everything. Where a life ends, its state is read and must add up.
package final class Drill {
  let options: DrillOptions
  let observer: DrillObserver
  let disk: SmallDisk?
  let log: DrillLog
  let place: Workplace
  /// Of the run that nothing interrupts.
  let calm: Workplace
  let geography: DrillGeography?
  let flags: [String]
  var schedule: StrikeSchedule
  var random: DrillRandom
  var report = DrillReport()
  var life: Life?
  var livesStarted = 0
  /// Records that the state reflected when it was last looked at.
  var progress: UInt64 = 0
  /// A copy of the state as it was after an earlier life.
  var hasOlderState = false

  var older: String { options.directory + "/older" }

  /// - Parameters:
  ///   - disk: mounted at `Drill.smallDirectory`; needed for full disks.
  ///   - flags: more arguments of `run` that lead to the cluster.
  package init(
    _ options: DrillOptions, disk: SmallDisk?, flags: [String], observer: DrillObserver
  ) throws(DrillFailure) {
    self.options = options
    self.observer = observer
    self.disk = disk
    random = DrillRandom(seed: options.seed ^ 0xD1B5_4A32_D192_ED03)
    schedule = StrikeSchedule(
      faults: options.faults, strikes: options.strikes, events: options.events,
      seed: options.seed)
    let home = disk == nil ? options.directory + "/drilled" : Drill.smallDirectory(options)
    let log = try DrillLog(options)
    geography = try options.geographyFailures.map { (failures) throws(DrillFailure) in
      try DrillGeography(failures: failures, seed: options.seed)
    }
    let more = geography?.flags ?? []
    place = Workplace(home, options, log, table: .drilled, flags: more)
    calm = Workplace(
      options.directory + "/uninterrupted", options, log, table: .uninterrupted, flags: more)
    do throws(DrillFailure) {
      for side in [place, calm] {
        try side.requireMissingTables(on: log)
      }
    } catch {
      log.delete()
      throw error
    }
    do throws(SystemError) { try Files.makeDirectory(home) } catch { throw DrillFailure(error) }
    self.log = log
    self.flags = ["--brokers", log.brokers, "--topic", log.topic] + log.flags + flags
  }

  /// Where state and sinks of the drilled side are, if the disk is to become full.
  package static func smallDirectory(_ options: DrillOptions) -> String {
    options.directory + "/small"
  }

  /// - Throws: `DrillFailure` if a life went wrong or the surroundings failed: there is no verdict.
  package func run() throws(DrillFailure) -> DrillReport {
    let begin = Clock.monotonic
    report.events = options.events
    report.partitions = log.partitions
    if !options.grows { try load() }
    for strike in schedule.faults.indices {
      try self.strike(strike)
      observer.progress(
        "striking", strike + 1, schedule.faults.count,
        options.faults.count == 1
          ? options.faults[0].plural : "faults")
    }
    try endLife()
    try load()
    try close()
    try runUninterrupted(calm)
    try compare(with: calm)
    report.elapsed = Clock.monotonic - begin
    return report
  }

  /// Removes what the drill made outside its directory.
  ///
  /// - Parameter keeping: leaves topic and tables.
  package func cleanUp(keeping: Bool) {
    life = nil
    if keeping { return }
    log.delete()
    for side in [place, calm] { side.dropTables() }
  }

  /// Copies the small disk's content to where it stays.
  package func copySmallDisk() throws(DrillFailure) {
    do throws(SystemError) {
      let copy = try ChildProcess("cp", ["-a", place.directory, options.directory + "/drilled"])
      if copy.wait() != .exited(0) { throw SystemError("cp", place.directory) }
    } catch {
      throw DrillFailure(error)
    }
  }

  // MARK: - The log

  func load() throws(DrillFailure) {
    while !log.isWhole {
      try checkStopped()
      try log.send(upTo: log.sent + 10_000)
      observer.progress("loading", log.sent, options.events, "events")
    }
    try log.verify()
  }

  /// Lets the log grow on, where it grows.
  ///
  /// - Parameter target: never sent further than this.
  private func feed(upTo target: Int) throws(DrillFailure) {
    if options.grows, log.sent < target { try log.send(upTo: min(target, log.sent + 100)) }
  }

  func checkStopped() throws(DrillFailure) {
    if observer.isStopped() { throw DrillFailure(found: "ended by a signal, without a verdict") }
  }

  // MARK: - Strikes

  private func strike(_ strike: Int) throws(DrillFailure) {
    let fault = schedule.faults[strike]
    // What is sent only after the strike shows that reading goes on.
    let goal = Int(schedule.target(of: strike))
    let rest = Int(schedule.target(of: strike + 1))
    if options.grows { try log.send(upTo: min(rest, Int(progress) + DrillLimits.lead)) }
    let before = progress
    let life = try presentLife()
    var moment = schedule.moment(of: strike, progress: progress)
    // An outage concerns sinks that are claimed.
    if case .startingUp = moment, fault.isOutage || life.startUp != nil {
      moment = .reading(after: 0)
    }
    let began = try wait(for: moment, life, feedingUpTo: goal)
    report.strikes[fault, default: 0] += 1
    let isReading = life.startUp != nil
    try apply(fault, to: life, sendingUpTo: rest)
    if options.grows { try log.send(upTo: rest) }
    if self.life != nil { try awaitProgress(of: life, after: fault) }
    try look()
    try keepStateForLater()
    if isReading, progress > before {
      schedule.observe(records: progress - before, within: max(1, Clock.monotonic - began))
    }
  }

  private func presentLife() throws(DrillFailure) -> Life {
    if let life { return life }
    let life = try startLife()
    self.life = life
    return life
  }

  /// - Returns: when the life began to read, or when the waiting began; monotonic µs.
  private func wait(
    for moment: StrikeSchedule.Moment, _ life: Life, feedingUpTo goal: Int
  ) throws(DrillFailure) -> Int64 {
    switch moment {
    case .startingUp(let span):
      try listen(to: life, until: life.startedAt + span, feedingUpTo: goal)
      return Clock.monotonic
    case .reading(let span):
      let wasReading = life.startUp != nil
      try waitForFirstRecord(of: life, feedingUpTo: goal)
      let begin = wasReading ? Clock.monotonic : life.firstRecordAt ?? Clock.monotonic
      try listen(to: life, until: begin + span, feedingUpTo: goal)
      return begin
    }
  }

  private func waitForFirstRecord(
    of life: Life, feedingUpTo goal: Int
  ) throws(DrillFailure) {
    // With the log read to its end there will be none.
    if progress >= UInt64(options.events) { return }
    let deadline = Clock.monotonic + DrillLimits.patience
    while life.startUp == nil {
      try listen(
        to: life, until: Clock.monotonic + DrillLimits.pollInterval, feedingUpTo: goal)
      if Clock.monotonic > deadline {
        let seconds = DrillLimits.patience / .perSecond
        throw DrillFailure(
          found: "the process has read nothing in \(seconds) s", messages: life.messages)
      }
    }
  }

  /// Takes a life's messages up to the deadline, which it must live to see.
  func listen(
    to life: Life, until deadline: Int64, feedingUpTo goal: Int = 0
  ) throws(DrillFailure) {
    repeat {
      try checkStopped()
      try feed(upTo: goal)
      let isFeeding = options.grows && log.sent < goal
      let step: Int64 = isFeeding ? 1_000 : 100_000
      life.listen(until: min(deadline, Clock.monotonic + step))
      if let end = life.end { throw unexpected(end, of: life) }
    } while Clock.monotonic < deadline
  }

  func unexpected(_ end: ChildProcess.End, of life: Life) -> DrillFailure {
    life.listen(until: Clock.monotonic)
    return DrillFailure(
      found: "the process ended by itself, which it must not: \(end)", messages: life.messages)
  }
}

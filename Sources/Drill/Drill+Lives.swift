import Glibc
import Platform
import SessionModel
import StateStore

/// How lives begin and end, and what the state says in between.
extension Drill {
  func startLife(isClosing: Bool = false) throws(DrillFailure) -> Life {
    if (1..<UInt64(options.events)).contains(progress) { report.resumedInTheMiddle += 1 }
    livesStarted += 1
    let interval = random.within(DrillLimits.checkpointIntervals)
    return try Life(
      options.program,
      place.arguments(flags, checkpointInterval: interval, isClosing: isClosing))
  }

  /// Takes the figures of a life that is over.
  func bury(_ life: Life, struckWhile phase: DrillReport.Phase? = nil) {
    let phase = phase ?? (life.startUp == nil ? .startUp : .reading)
    report.phases[phase, default: 0] += 1
    if let startUp = life.startUp {
      schedule.observe(startUp: startUp)
      // The first one has nothing to recover.
      if livesStarted > 1 { report.recovery.add(startUp) }
    }
    self.life = nil
  }

  /// Reads the state, which must add up and must not have gone back.
  func look() throws(DrillFailure) {
    let found = try place.inspect()?.counters.recordsRead ?? 0
    guard found >= progress else {
      throw DrillFailure(
        found: "the state reflected \(progress) records and now reflects \(found)")
    }
    progress = found
  }

  /// Asks a life to end cleanly, which it must.
  func stop(_ life: Life) throws(DrillFailure) {
    life.signal(SIGTERM)
    let end = life.waitForEnd(until: Clock.monotonic + DrillLimits.stopPatience)
    guard let end else {
      throw DrillFailure(
        found:
          "the process did not end within \(DrillLimits.stopPatience / .perSecond) s of SIGTERM",
        messages: life.messages)
    }
    if end != .exited(ExitCode.success.rawValue) { throw unexpected(end, of: life) }
  }

  /// Ends a life that went through outages alone.
  func endLife() throws(DrillFailure) {
    guard let life else { return }
    try stop(life)
    self.life = nil
    try look()
  }

  // MARK: - The end

  /// Lives that read to the end of the log and close every session: some are killed, the last is
  /// left alone.
  func close() throws(DrillFailure) {
    var length: Microseconds?
    for _ in 0..<schedule.closingKills {
      let life = try startLife(isClosing: true)
      let span = schedule.closingMoment(progress: progress, length: length)
      life.listen(until: life.startedAt + span)
      try checkStopped()
      let end = life.kill()
      report.strikes[.kill, default: 0] += 1
      switch end {
      case .killed(signal: SIGKILL): break
      // Over before the kill: the next ones come earlier.
      case .exited(ExitCode.success.rawValue): length = span
      default: throw unexpected(end, of: life)
      }
      try look()
      bury(life, struckWhile: progress == UInt64(options.events) ? .draining : nil)
    }
    let last = try startLife(isClosing: true)
    try waitForCompletion(of: last, at: place, "closing")
    try look()
  }

  func runUninterrupted(_ calm: Workplace) throws(DrillFailure) {
    do throws(SystemError) { try Files.makeDirectory(calm.directory) } catch {
      throw DrillFailure(error)
    }
    let life = try Life(
      options.program, calm.arguments(flags, checkpointInterval: nil, isClosing: true))
    try waitForCompletion(of: life, at: calm, "running uninterrupted")
  }

  /// Waits for a clean end, as long as the state goes on.
  private func waitForCompletion(
    of life: Life, at place: Workplace, _ title: String
  ) throws(DrillFailure) {
    var seen = CheckpointState()
    var seenAt = Clock.monotonic
    while true {
      try checkStopped()
      if let end = life.waitForEnd(until: Clock.monotonic + 250_000) {
        if end == .exited(ExitCode.success.rawValue) { return }
        throw unexpected(end, of: life)
      }
      if let state = try place.inspect(), state != seen {
        seen = state
        seenAt = Clock.monotonic
      }
      observer.progress(title, Int(seen.counters.recordsRead), options.events, "records")
      if Clock.monotonic - seenAt > DrillLimits.patience {
        throw DrillFailure(
          found: "\(title): no new checkpoint in \(DrillLimits.patience / .perSecond) s",
          messages: life.messages)
      }
    }
  }
}

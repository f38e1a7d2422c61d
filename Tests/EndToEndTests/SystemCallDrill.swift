import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

/// Has a small job fail at one system call, lets it go on, and compares with a job that never
/// failed.
final class SystemCallDrill {
  /// What the job is doing when a call fails.
  enum Phase: String, CaseIterable, Sendable {
    /// A new state and new tables: open, checkpoints, delivery, finish.
    case fresh
    /// The next run on what a killed one left: sessions in the log, rows in the outbox.
    case recovery
    /// Many files with checkpoints in between.
    case busy
    /// `sojourn purge`.
    case purge
  }

  /// Whose calls are counted: those of one place come from one thread at a time, so that the
  /// number of a call says which it is.
  enum Place: String, CaseIterable, Sendable { case state, table, files }

  struct Fault: CustomStringConvertible {
    var phase: Phase
    var place: Place
    var call: FaultPlan.Call
    var action: FaultPlan.Action
    var isForGood = false

    var description: String {
      "\(phase), \(place), \(action.rawValue)\(isForGood ? " for good" : "") at call "
        + "\(call.number), \(call.name) of \(call.bytes) bytes, \(call.path)"
    }
  }

  /// How many faults came about, by how the process ended.
  struct Tally {
    var fired = 0
    var killed = 0
    var stopped = 0
    var unavailable = 0
    var unharmed = 0
    /// The process ended before it came to the call.
    var missed = 0
  }

  let phase: Phase
  private(set) var tally = Tally()
  private let input = TemporaryDirectory(inMemory: true)
  private let before: [String]
  private let files: [String]
  private let base: SmallJob?
  private let calm: SmallJob.Outcome

  init(_ phase: Phase) throws {
    self.phase = phase
    let all = try SmallTraffic.write(files: phase == .busy ? 12 : 5, to: input.path)
    before = phase == .busy || phase == .fresh ? [] : Array(all[..<3])
    files = phase == .fresh ? Array(all[..<3]) : all
    let job = try SmallJob()
    if !before.isEmpty {
      _ = try job.outcome(of: job.answer(job.run(before)), "the first calm run")
    }
    calm = try job.outcome(of: job.answer(job.run(files)), "the calm run")
    base =
      switch phase {
      case .fresh, .busy: nil
      case .recovery: try SystemCallDrill.killed(before)
      case .purge: try SystemCallDrill.finished(before)
      }
  }

  /// A job killed when the rows were in the outbox and on their way to the sinks.
  private static func killed(_ files: [String]) throws -> SmallJob {
    let job = try SmallJob()
    var plan = FaultPlan(paths: [job.lines + "/.tmp-"], log: job.log)
    plan.point = 1
    plan.action = .killBefore
    let answer = try job.answer(job.run(files), plan)
    try #require(answer.end == .killed(signal: SIGKILL), "\(answer.messages)")
    let summary = try job.answer(["dump", "--state", job.state, "--output", "json"]).output
    try #require(JSONLine.number("outbox_rows", in: summary) ?? 0 > 0, "\(summary)")
    return job
  }

  private static func finished(_ files: [String]) throws -> SmallJob {
    let job = try SmallJob()
    try #require(try job.answer(job.run(files)).ended(.success))
    return job
  }

  // MARK: The calls

  /// What is counted in the phase at the place: as many as each of three calm runs comes to.
  func calls(of place: Place) throws -> [FaultPlan.Call] {
    let runs = try (0..<3).map { _ in
      let job = try SmallJob(copying: base)
      let plan = FaultPlan(paths: [job.path(of: place)], log: job.log)
      #expect(try job.answer(command(job), plan).ended(.success))
      return plan.calls()
    }
    return runs.min { $0.count < $1.count }!
  }

  /// Every fault that the calls can have.
  func faults(at calls: [FaultPlan.Call], of place: Place) -> [Fault] {
    calls.flatMap { call in
      FaultPlan.Action.allCases.filter { !$0.cuts || call.bytes > 1 }.flatMap { action in
        let once = Fault(phase: phase, place: place, call: call, action: action)
        if action.kills || action.cuts { return [once] }
        var forGood = once
        forGood.isForGood = true
        return [once, forGood]
      }
    }
  }

  private func command(_ job: SmallJob, _ more: [String] = []) -> [String] {
    switch phase {
    case .purge: ["purge", "late", "--state", job.state, "--output", "json"]
    case .busy: job.run(files, more, every: "1ms")
    case .fresh, .recovery: job.run(files, more)
    }
  }

  // MARK: One fault

  /// Plays one fault; records issues. A run in which the sinks were quicker than in others may end
  /// before it comes to the call: then it is played again.
  func play(_ fault: Fault) throws {
    for _ in 1...20 {
      if try comesAbout(fault) {
        tally.fired += 1
        return
      }
    }
    tally.missed += 1
  }

  private func comesAbout(_ fault: Fault) throws -> Bool {
    let job = try SmallJob(copying: base)
    var plan = FaultPlan(paths: [job.path(of: fault.place)], log: job.log)
    plan.point = fault.call.number
    plan.action = fault.action
    plan.isForGood = fault.isForGood
    // A sink that is down for good is waited for only so long.
    let more = fault.isForGood && fault.place != .state ? ["--shutdown-timeout", "150ms"] : []
    let answer = try job.answer(command(job, more), plan)
    guard let call = plan.calls().first else {
      #expect(answer.ended(.success), "\(fault): \(answer.messages)")
      return false
    }
    var happened = fault
    happened.call = call
    judge(answer, happened)
    if phase == .purge { try purgeAgain(job, after: answer, happened) }
    try job.expect(calm, after: job.answer(job.run(files)), "after \(happened)")
    return true
  }

  /// What a process may do about the fault: die of SIGKILL where it was killed, else end with a code
  /// that says so, or go on where the fault does not matter.
  private func judge(_ answer: Answer, _ fault: Fault) {
    if fault.action.kills {
      tally.killed += 1
      #expect(answer.end == .killed(signal: SIGKILL), "\(fault): \(answer.messages)")
    } else if answer.ended(.success) {
      tally.unharmed += 1
      // Of the state, a write that fell short is taken up again, and the note of the newest
      // checkpoint may fail; no other error may be passed over.
      let isNote = fault.call.path.hasSuffix("/owner.lock")
      #expect(fault.place != .state || fault.action.cuts || isNote, "\(fault)")
    } else if fault.place == .state {
      tally.stopped += 1
      #expect(answer.ended(.inputOutput), "\(fault): \(answer.end) \(answer.messages)")
    } else {
      tally.unavailable += 1
      #expect(fault.isForGood, "\(fault): \(answer.messages)")
      #expect(answer.ended(.unavailable), "\(fault): \(answer.end) \(answer.messages)")
    }
  }

  /// Either all late records are gone, or none.
  private func purgeAgain(_ job: SmallJob, after first: Answer, _ fault: Fault) throws {
    let second = try job.answer(command(job))
    #expect(second.ended(.success), "\(fault): \(second.messages)")
    let left = JSONLine.number("rows", in: second.output)
    #expect(
      left == 0 || (left == before.count && !first.ended(.success)), "\(fault): \(second.output)")
  }
}

extension SmallJob {
  /// What the files of a place have in front of their names.
  func path(of place: SystemCallDrill.Place) -> String {
    switch place {
    case .state: state
    case .table: path + "/table"
    case .files: path + "/files"
    }
  }
}

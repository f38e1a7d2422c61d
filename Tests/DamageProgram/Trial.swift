import Glibc
import Platform
import SessionModel
import StateStore
import TestSupport

/// What became of a damaged state.
enum Outcome: Equatable {
  /// Refused as damaged, at the latest where the damage was come across.
  case refused
  /// Told all that the sound state tells, and went on: the damage hit nothing in use.
  case harmless
  /// The same, but a check names damage: to something that is stored and not needed any more.
  case dormant
  /// Told what the checkpoint before did, said that it is older, and went on.
  case previous
  /// Anything else.
  case wrong(String)
}

/// One damage to one state, and all that a process may do with it then.
struct Trial {
  let sound: SoundState
  /// Empty, for this trial alone.
  let directory: String

  func run(_ damage: Damage, _ random: inout RandomNumbers) throws -> Outcome {
    try write(damage, &random)
    do {
      let task = try TestTask(directory)
      let outcome = judge(try StateContent(task), warned: task.store.warning != nil)
      if case .wrong = outcome { return outcome }
      let problems = try task.store.verify()
      if let wrong = try goOn(task, known: problems, random.next()) { return wrong }
      return outcome == .harmless && !problems.isEmpty ? .dormant : outcome
    } catch let error as StateError {
      if error.exitCode == .corruptState, error.description.contains("'\(directory)' is damaged") {
        return .refused
      }
      return .wrong("ended with \(error.exitCode): \(error)")
    }
  }

  private func write(_ damage: Damage, _ random: inout RandomNumbers) throws {
    var file = DamagedFile(sound)
    file.apply(damage, &random)
    do {
      let data = try FileDescriptor.open(directory + "/data.mdb", O_WRONLY | O_CREAT | O_TRUNC)
      try data.write(file.bytes)
      ftruncate(data.number, file.length)
    }
    for name in ["owner.lock", "lock.mdb"] {
      let noise = (0..<random.below(30_000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let content = name == "owner.lock" ? sound.owner : []
      let bytes = damage == .lockFiles ? noise : content
      try FileDescriptor.open("\(directory)/\(name)", O_WRONLY | O_CREAT | O_TRUNC).write(bytes)
    }
  }

  private func judge(_ content: StateContent, warned: Bool) -> Outcome {
    if content == sound.content { return .harmless }
    if content != sound.previous { return .wrong("tells what was never written") }
    return warned ? .previous : .wrong("is a checkpoint older without a word")
  }

  /// Goes on for a few checkpoints, as a run does, then reads all again.
  ///
  /// - Parameter problems: what a check has named before.
  /// - Returns: nil where all was as it should be.
  /// - Throws: `.corrupt` where the damage is come across only now.
  private func goOn(
    _ task: TestTask, known problems: [String], _ seed: UInt64
  ) throws -> Outcome? {
    var random = RandomNumbers(seed: seed)
    var expected = try StateContent(task)
    let rounds = 3
    for round in 0..<rounds {
      sound.shape.goOn(task, round: round, &random)
      try task.checkpoint()
    }
    expected.records = task.records
    let rows = try task.store.outboxNumbers()
    let sides = expected.sides.count + rounds * Shape.sidesOfARound
    let state = task.state
    try task.reopen()
    if task.records != expected.records { return .wrong("has other sessions after going on") }
    if task.state != state { return .wrong("is at another checkpoint after going on") }
    if try task.store.outboxNumbers() != rows { return .wrong("has other rows after going on") }
    let content = try StateContent(task)
    if content.sides.count != sides { return .wrong("has other side records after going on") }
    let found = try task.store.verify()
    if let problem = found.first(where: { !isWaste($0) && !problems.contains($0) }) {
      return .wrong("is not sound after going on: \(problem)")
    }
    return nil
  }

  /// Damage to the list of free pages may make it shorter: pages are then never used again.
  private func isWaste(_ problem: String) -> Bool {
    problem.hasSuffix("pages are neither in use nor free")
  }
}

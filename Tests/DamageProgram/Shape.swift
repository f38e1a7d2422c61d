import SessionModel
import StateStore
import TestSupport

/// What a state to be damaged is full of.
enum Shape: String, CaseIterable {
  /// Many checkpoints of few changes.
  case segments
  /// Rows that wait: trees with branch pages.
  case outbox
  /// Late and rejected records, with payloads inside their pages and outside; rows of bots.
  case sides
  /// Rows that came and went: a long list of free pages.
  case freed
  /// Values that take many pages: records, proofs, sinks.
  case values
  /// A compact copy, as a backup makes it.
  case copy
  /// Little, of one checkpoint.
  case small

  var rounds: Int {
    switch self {
    case .segments: 60
    case .freed: 14
    case .small: 2
    default: 10
    }
  }

  /// What happens before the checkpoint of a round.
  func change(_ task: TestTask, round: Int, _ random: inout RandomNumbers) {
    task.state.watermark = Microseconds(round)
    task.state.partitions = (0..<4).map {
      PartitionProgress(partition: $0, nextOffset: Int64(round) * 10 + Int64($0))
    }
    switch self {
    case .segments: change(keys: 30, of: 1_500, task, &random)
    case .outbox: appendRows(400, task, &random)
    case .sides:
      for number in 0..<60 { task.draft.late.append(side(round * 100 + number, &random)) }
      for number in 0..<30 { task.draft.rejected.append(side(round * 100 + number, &random)) }
      appendBots(40, task, &random)
    case .freed:
      if round < 8 { appendRows(400, task, &random) }
      if round >= 8 { task.draft.removeOutboxUpTo = Sample.position(newestRow(task) - 30) }
      change(keys: 10, of: 40, task, &random)
    case .values:
      for number in 0..<3 {
        let record = Sample.record(
          number + round, time: 1, sessions: 30 + random.below(40), urlBytes: 2_000)
        task.set(record, for: Sample.hash(number + round))
      }
      task.state.partitions = (Int32(0)..<20).map {
        let proof = [UInt8](repeating: UInt8(round), count: 4_000)
        return PartitionProgress(partition: $0, nextOffset: Int64(round), proof: proof)
      }
      task.state.sinks = (0..<60).map {
        SinkProgress(name: "sink\($0)", url: "sqlite:/some/where/else/sessions\($0).db")
      }
    case .copy, .small:
      change(keys: 60, of: 400, task, &random)
      appendRows(40, task, &random)
      task.draft.late.append(side(round, &random))
    }
  }

  private func change(
    keys count: Int, of all: Int, _ task: TestTask, _ random: inout RandomNumbers
  ) {
    for _ in 0..<count {
      let number = random.below(all)
      if random.oneIn(4) {
        task.remove(Sample.hash(number))
      } else {
        let record = Sample.record(
          number, time: Microseconds(random.below(1_000)), sessions: 1 + random.below(3),
          urlBytes: random.below(200))
        task.set(record, for: Sample.hash(number))
      }
    }
  }

  private func appendRows(_ count: Int, _ task: TestTask, _ random: inout RandomNumbers) {
    let newest = newestRow(task)
    for number in 1...count {
      Sample.appendRow(
        newest + number, textBytes: random.oneIn(50) ? 300 : random.below(60),
        to: &task.draft.rows)
    }
  }

  /// Rows of a checkpoint of its own, so behind those before.
  private func appendBots(_ count: Int, _ task: TestTask, _ random: inout RandomNumbers) {
    let first = Int(task.state.checkpoint) * 1_000
    for number in 1...count {
      Sample.appendRow(first + number, textBytes: random.below(300), to: &task.draft.bots)
    }
  }

  private func newestRow(_ task: TestTask) -> Int {
    task.state.newestRow.map { Int($0.sessionEnd / 10) } ?? 0
  }

  private func side(_ number: Int, _ random: inout RandomNumbers) -> SideRecord {
    Sample.side(number, payloadBytes: random.oneIn(3) ? 4_096 : random.below(600))
  }

  /// Entries that a round of going on adds to the side outputs.
  static let sidesOfARound = 5

  /// Changes of any kind, for going on with a state of any shape.
  func goOn(_ task: TestTask, round: Int, _ random: inout RandomNumbers) {
    change(keys: 40, of: 300, task, &random)
    let rows = newestRow(task)
    task.draft.removeOutboxUpTo = Sample.position(rows - random.below(rows / 2 + 1))
    appendRows(60, task, &random)
    let offset = Int(task.state.checkpoint) * 1_000 + round
    task.draft.late.append(side(offset, &random))
    task.draft.rejected.append(side(offset, &random))
    appendBots(Shape.sidesOfARound - 2, task, &random)
  }
}

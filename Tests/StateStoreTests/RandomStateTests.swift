import SessionModel
import StateStore
import TestSupport
import Testing

/// Random changes, checkpoints and restarts against plain dictionaries.
@Suite struct RandomStateTests {
  /// What the state must be after the last checkpoint.
  private struct Model {
    var records: [KeyHash: SessionRecord] = [:]
    var rows: [Int] = []
    var late: [Int] = []
    var bots: [[UInt8]] = []
    var state = CheckpointState()
  }

  @Test(arguments: 1...12)
  func `a state is what its checkpoints made it, at every restart`(seed: UInt64) throws {
    let directory = TemporaryDirectory()
    var random = RandomNumbers(seed: seed)
    let task = try TestTask(directory.path)
    var model = Model()
    var nextRow = 1
    var nextLate = 0
    for _ in 0..<120 {
      for _ in 0..<random.below(60) { change(task, &random) }
      for _ in 0..<random.below(8) {
        Sample.appendRow(nextRow, textBytes: random.below(900), to: &task.draft.rows)
        model.rows.append(nextRow)
        nextRow += 1 + random.below(3)
      }
      if random.oneIn(4) {
        let upTo = random.below(nextRow + 3)
        task.draft.removeOutboxUpTo = Sample.position(upTo)
        // Rows of the same checkpoint are behind those that it removes.
        let old = model.rows.count - task.draft.rows.count
        let removed = model.rows[..<old].prefix { $0 <= upTo }.count
        model.rows.removeFirst(removed)
      }
      for _ in 0..<random.below(3) {
        task.draft.late.append(Sample.side(nextLate, payloadBytes: random.below(4_097)))
        model.late.append(nextLate)
        nextLate += 1
      }
      for _ in 0..<random.below(3) {
        // Bots' rows share the order of all rows.
        var row = RowBatch()
        Sample.appendRow(nextRow, textBytes: random.below(900), to: &row)
        row.forEachEncoded {
          task.draft.bots.append(encoded: $0)
          model.bots.append(Array($0))
        }
        nextRow += 1
      }
      task.state.watermark += 1
      model.state = try task.checkpoint()
      model.records = task.records
      if random.oneIn(6) {
        // What is not in a checkpoint yet is lost with the process.
        for _ in 0..<random.below(20) { change(task, &random) }
        try task.reopen()
        try compare(task, model)
      }
    }
    try task.reopen()
    try compare(task, model)
  }

  private func change(_ task: TestTask, _ random: inout RandomNumbers) {
    let number = random.below(300)
    if random.oneIn(3) {
      task.remove(Sample.hash(number))
    } else {
      task.set(
        Sample.record(
          number, time: Microseconds(random.below(1_000)), sessions: 1 + random.below(3),
          urlBytes: random.oneIn(40) ? 2_000 : random.below(200)), for: Sample.hash(number))
    }
  }

  private func compare(_ task: TestTask, _ model: Model) throws {
    #expect(task.records == model.records)
    #expect(task.state == model.state)
    #expect(try task.store.outboxNumbers() == model.rows)
    let reader = try task.store.makeReader()
    var late: Set<Int64> = []
    try reader.forEachRecord(of: .late) { late.insert($0.offset).inserted }
    #expect(late == Set(model.late.map(Int64.init)))
    #expect(try reader.botRows() == model.bots)
    var records: [[UInt8]: SessionRecord] = [:]
    try reader.forEachRecord { records.updateValue($0, forKey: $0.userID) == nil }
    #expect(records.count == model.records.count)
    #expect(model.records.values.allSatisfy { records[$0.userID] == $0 })
    #expect(try reader.verify() == [])
  }
}

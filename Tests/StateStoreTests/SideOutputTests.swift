import SessionModel
import StateStore
import TestSupport
import Testing

@Suite struct SideOutputTests {
  let directory = TemporaryDirectory()

  private func records(_ output: SideOutput, _ reader: StateReader) throws -> [SideRecord] {
    var records: [SideRecord] = []
    try reader.forEachRecord(of: output) {
      records.append($0)
      return true
    }
    return records
  }

  private func task(rows: UInt64 = 1_000_000, bytes: UInt64 = 1 << 30) throws -> TestTask {
    var options = StateOptions()
    for output in SideOutput.allCases {
      options.sideLimits[output] = SideTotals(rows: rows, bytes: bytes)
    }
    return try TestTask(directory.path, options: options)
  }

  @Test func `records come back whole, by partition and offset`() throws {
    let task = try task()
    let payloads = [0, 1, 100, 2_000, 4_096]
    task.draft.late = (0..<5_000).map { Sample.side($0, payloadBytes: payloads[$0 % 5]) }
    task.draft.rejected = [
      SideRecord(
        partition: 9, offset: 8, reason: 1, recordTime: .never, valueLength: -1, payload: [])
    ]
    try task.checkpoint()
    let reader = try task.store.makeReader()
    let late = try records(.late, reader)
    #expect(late.map(\.offset) == (0..<4).flatMap { p in stride(from: p, to: 5_000, by: 4) })
    let sample = late[1_234]
    #expect(
      sample.payload == Sample.side(Int(sample.offset), payloadBytes: sample.payload.count).payload)
    #expect((sample.reason, sample.field) == (3, 2))
    #expect((sample.recordTime, sample.eventTime, sample.watermark) == (77, 5, 9))
    #expect(sample.payload.count == payloads[Int(sample.offset) % 5])
    let rejected = try records(.rejected, reader)
    #expect(rejected.count == 1 && rejected[0].valueLength == -1)
    #expect(rejected[0].partition == 9 && rejected[0].recordTime == .never)
    #expect(try task.store.verify() == [])
  }

  @Test func `rows of bots come back whole, in their order, and no row twice`() throws {
    let task = try task()
    for round in 0..<3 {
      for number in 1...2_000 {
        Sample.appendRow(round * 2_000 + number, textBytes: number % 300, to: &task.draft.bots)
      }
      try task.checkpoint()
    }
    #expect(task.state.kept.bots.rows == 6_000 && task.state.counters.botSessions == 6_000)
    #expect(task.state.newestRow == nil && task.state.outboxRows == 0)
    var expected = RowBatch()
    for number in 0..<6_000 {
      Sample.appendRow(number + 1, textBytes: (number % 2_000 + 1) % 300, to: &expected)
    }
    var rows: [[UInt8]] = []
    expected.forEachEncoded { rows.append(Array($0)) }
    try task.reopen()
    #expect(try task.store.makeReader().botRows() == rows)
    #expect(try task.store.verify() == [])
    Sample.appendRow(6_000, to: &task.draft.bots)
    let error = #expect(throws: StateError.self) { try task.checkpoint() }
    #expect(error?.exitCode == .software)
  }

  @Test func `rows of bots that are not counted are refused`() throws {
    let task = try task()
    Sample.appendRow(1, to: &task.draft.bots)
    task.state.counters.botSessions = 1
    let error = #expect(throws: StateError.self) { try task.checkpoint() }
    #expect(error?.description.contains("2 sessions counted are not the 0 before and 1") == true)
  }

  @Test func `one offset of a recreated topic can be kept again`() throws {
    let task = try task()
    task.draft.late = [Sample.side(1)]
    try task.checkpoint()
    task.draft.late = [Sample.side(1, payloadBytes: 3)]
    try task.checkpoint()
    let late = try records(.late, task.store.makeReader())
    #expect(late.map(\.payload.count) == [100, 3])
  }

  @Test(arguments: SideOutput.allCases, [true, false])
  func `the cap stops the run before anything is durable`(
    output: SideOutput, byRows: Bool
  ) throws {
    // A side record of 100 bytes counts 163: key 20, fields 35, checksum 8. A row with 18 texts of 9
    // bytes counts 321: key 40, version 1, numbers 72, lengths 38, texts 162, checksum 8.
    let task = try byRows ? task(rows: 10) : task(bytes: output == .bots ? 3_210 : 1_630)
    func add(_ numbers: Range<Int>) {
      let records = numbers.map { Sample.side($0) }
      switch output {
      case .late: task.draft.late = records
      case .rejected: task.draft.rejected = records
      case .bots:
        for number in numbers { Sample.appendRow(number + 1, textBytes: 9, to: &task.draft.bots) }
      }
    }
    add(0..<10)
    try task.checkpoint()
    add(10..<11)
    task.set(Sample.record(1, time: 1), for: Sample.hash(1))
    let error = #expect(throws: StateError.self) { try task.checkpoint() }
    #expect(error?.exitCode == .inputOutput)
    #expect(error?.description.contains("sojourn purge \(output.rawValue)") == true)
    try task.reopen()
    #expect(task.state.checkpoint == 1 && task.records.isEmpty)
    #expect(task.state.kept[output].rows == 10)
    #expect(try task.store.verify() == [])
  }

  @Test func `a full late output does not stop a checkpoint without late records`() throws {
    let task = try task(rows: 0)
    task.set(Sample.record(1, time: 1), for: Sample.hash(1))
    #expect(try task.checkpoint().checkpoint == 1)
  }

  @Test func `purge makes room, and the counters stay`() throws {
    var task: TestTask? = try task(rows: 10)
    task!.state.counters.lateByReason[1] = 10
    task!.draft.late = (0..<10).map { Sample.side($0, payloadBytes: 4_096) }
    task!.draft.rejected = [Sample.side(5)]
    try task!.checkpoint()
    // A process runs on it: purging is refused.
    let locked = #expect(throws: StateError.self) {
      try StateReader.purge(.late, directory: directory.path)
    }
    #expect(locked?.exitCode == .stateLocked)
    task = nil

    let removed = try StateReader.purge(.late, directory: directory.path)
    #expect(removed.rows == 10)
    let again = try self.task(rows: 10)
    let reader = try again.store.makeReader()
    #expect(try records(.late, reader).isEmpty)
    #expect(try records(.rejected, reader).count == 1)
    #expect(again.state.counters.late == 10)
    #expect(try reader.verify() == [])
    again.draft.late = (0..<10).map { Sample.side($0) }
    try again.checkpoint()
  }

  @Test func `a batch that is held elsewhere leaves with the next checkpoint`() throws {
    let task = try task(rows: 10)
    task.draft.late = (0..<10).map { Sample.side($0, payloadBytes: $0) }
    task.draft.rejected = [Sample.side(5)]
    try task.checkpoint()
    let batch = try task.store.readSide(.late, maxRows: 4, maxBytes: .max)
    let kept = try records(.late, task.store.makeReader())
    #expect(batch.entries == kept.prefix(4).map { .record($0) })
    // As many come as go: the cap holds for what is kept in the end.
    task.draft.removeSides = [batch]
    task.draft.late = (10..<14).map { Sample.side($0) }
    let state = try task.checkpoint()
    #expect(state.kept.late.rows == 10 && state.kept.rejected.rows == 1)
    #expect(try records(.late, task.store.makeReader()).count == 10)
    #expect(try task.store.verify() == [])
    try task.reopen()
    #expect(task.state.kept == state.kept)
  }

  @Test func `a batch that was removed already stops the checkpoint`() throws {
    let task = try task()
    task.draft.late = (0..<3).map { Sample.side($0) }
    try task.checkpoint()
    let batch = try task.store.readSide(.late, maxRows: 2, maxBytes: .max)
    task.draft.removeSides = [batch]
    try task.checkpoint()
    task.draft.removeSides = [batch]
    #expect(throws: StateError.self) { try task.checkpoint() }
  }
}

import Platform
import SessionModel
import StateStore
import TestSupport
import Testing

@Suite struct CheckpointTests {
  let directory = TemporaryDirectory()

  @Test func `a new state is checkpoint 0 with a seed of its own`() throws {
    let other = TemporaryDirectory()
    let store = try StateStore.open(directory: directory.path, identity: TestTask.identity)
    let second = try StateStore.open(directory: other.path, identity: TestTask.identity)
    #expect(store.recovered == CheckpointState())
    #expect(store.hashSeed != second.hashSeed)
    #expect(try store.verify() == [])
  }

  @Test func `everything in a checkpoint is there after reopening`() throws {
    var task: TestTask? = try TestTask(directory.path)
    let seed = task!.store.hashSeed
    task!.state = everyField()
    for number in 1...500 {
      task!.set(Sample.record(number, time: 1_000), for: Sample.hash(number))
    }
    for number in 1...3 { Sample.appendRow(number, to: &task!.draft.rows) }
    task!.draft.late = [Sample.side(1), Sample.side(2)]
    task!.draft.rejected = [Sample.side(3)]
    let state = try task!.checkpoint()
    let records = task!.records
    task = nil

    let reopened = try TestTask(directory.path)
    #expect(reopened.store.recovered == state)
    #expect(reopened.store.hashSeed == seed)
    #expect(reopened.records == records)
    #expect(reopened.store.recoveredKeys == 500)
    #expect(try reopened.store.outboxNumbers() == [1, 2, 3])
    #expect(state.counters.delivered == 0 && state.outboxRows == 3)
    #expect(state.newestRow == Sample.position(3))
    #expect(try reopened.store.verify() == [])
  }

  private func everyField() -> CheckpointState {
    var state = CheckpointState()
    state.watermark = 5
    state.closeLine = 4
    state.frozenAt = 1_700_000_000_000_000
    state.openSessions = 11
    state.closingSessions = 12
    state.counters.recordsRead = 100
    state.counters.bytesRead = 101
    state.counters.flushes = 2
    state.counters.lateByReason[1] = 7
    state.counters.rejectedByReason[17] = 8
    state.partitions = [
      PartitionProgress(
        partition: 3, nextOffset: 44, maxEventTime: 45, lastRecordTime: 46, proof: [1, 2, 3]),
      PartitionProgress(partition: 7, nextOffset: 0),
      PartitionProgress(partition: 300, nextOffset: 1 << 40, lastRecordTime: -1),
    ]
    state.sinks = [
      SinkProgress(
        name: "sqlite", url: "sqlite:a.db", acknowledged: Sample.position(2), skipped: 9,
        startedAt: Sample.position(1)),
      SinkProgress(name: "jsonl", url: "jsonl:dir"),
    ]
    state.settings = [KeptSetting("out-of-orderness", "1m"), KeptSetting("field url", "")]
    return state
  }

  @Test func `a partition that is gone from the state is gone after reopening`() throws {
    var task: TestTask? = try TestTask(directory.path)
    task!.state.partitions = (0..<4).map { PartitionProgress(partition: $0, nextOffset: 1) }
    try task!.checkpoint()
    task!.state.partitions.remove(at: 2)
    task!.state.partitions[0].nextOffset = 9
    try task!.checkpoint()
    task = nil
    let store = try StateStore.open(directory: directory.path, identity: TestTask.identity)
    #expect(store.recovered.partitions.map(\.partition) == [0, 1, 3])
    #expect(store.recovered.partitions.map(\.nextOffset) == [9, 1, 1])
  }

  @Test func `settings are those of the newest checkpoint`() throws {
    let task = try TestTask(directory.path)
    for value in ["1m", "1m", "2m"] {
      task.state.settings = [KeptSetting("out-of-orderness", value)]
      try task.checkpoint()
      try task.reopen()
      #expect(task.store.recovered.settings == [KeptSetting("out-of-orderness", value)])
    }
    #expect(try task.store.verify() == [])
  }

  @Test func `a checkpoint out of turn is refused, and so is everything after it`() throws {
    let task = try TestTask(directory.path)
    task.set(Sample.record(1, time: 1), for: Sample.hash(1))
    try task.checkpoint()
    let error = #expect(throws: StateError.self) {
      try task.store.commit(CheckpointDraft(checkpoint: 5))
    }
    #expect(error?.exitCode == .software)
    #expect(throws: error!) { try task.store.commit(CheckpointDraft(checkpoint: 2)) }
    #expect(throws: error!) { try task.store.outboxNumbers() }
    #expect(throws: error!) { try task.store.headers(ofSegment: 1) }
  }

  @Test(arguments: [
    (CheckpointDraft(checkpoint: 2), [2 as UInt64]), (CheckpointDraft(checkpoint: 2), [3]),
  ])
  func `only the oldest segments can be dropped`(draft: CheckpointDraft, drop: [UInt64]) throws {
    let task = try TestTask(directory.path)
    try task.checkpoint()
    draft.dropSegments = drop
    let error = #expect(throws: StateError.self) { try task.store.commit(draft) }
    #expect(error?.exitCode == .software)
  }
}

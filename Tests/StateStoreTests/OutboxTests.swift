import SessionModel
import StateStore
import TestSupport
import Testing

@Suite struct OutboxTests {
  let directory = TemporaryDirectory()

  @Test func `rows are read in order, behind a position, within bounds`() throws {
    let task = try TestTask(directory.path)
    for first in [1, 101] {
      for number in first..<(first + 100) { Sample.appendRow(number, to: &task.draft.rows) }
      try task.checkpoint()
    }
    let store = task.store
    #expect(try store.outboxNumbers() == Array(1...200))
    let some = try store.readOutbox(after: Sample.position(99), maxRows: 3, maxBytes: .max)
    #expect(some.firstPosition == Sample.position(100) && some.count == 3)
    let one = try store.readOutbox(after: nil, maxRows: 10, maxBytes: 1)
    #expect(one.count == 1)
    #expect(try store.readOutbox(after: Sample.position(200), maxRows: 9, maxBytes: 9).isEmpty)
  }

  @Test func `a position that is not in the outbox is a place between rows`() throws {
    let task = try TestTask(directory.path)
    for number in [2, 4, 6] { Sample.appendRow(number, to: &task.draft.rows) }
    try task.checkpoint()
    let rest = try task.store.readOutbox(after: Sample.position(3), maxRows: 9, maxBytes: .max)
    #expect(rest.firstPosition == Sample.position(4) && rest.count == 2)
  }

  @Test func `removed rows count as delivered, and the books balance`() throws {
    let task = try TestTask(directory.path)
    for number in 1...10 { Sample.appendRow(number, to: &task.draft.rows) }
    try task.checkpoint()
    task.draft.removeOutboxUpTo = Sample.position(4)
    for number in 11...12 { Sample.appendRow(number, to: &task.draft.rows) }
    let state = try task.checkpoint()
    #expect(try task.store.outboxNumbers() == Array(5...12))
    #expect(state.counters.sessionsClosed == 12 && state.counters.delivered == 4)
    #expect(state.outboxRows == 8)
    #expect(state.removedUpTo == Sample.position(4) && state.newestRow == Sample.position(12))
    // Nothing is left up to there: the place stays.
    task.draft.removeOutboxUpTo = Sample.position(3)
    #expect(try task.checkpoint().removedUpTo == Sample.position(4))
    task.draft.removeOutboxUpTo = Sample.position(99)
    let last = try task.checkpoint()
    #expect(last.removedUpTo == Sample.position(12) && last.outboxRows == 0)
    #expect(last.newestRow == Sample.position(12))
    #expect(try task.store.verify() == [])
  }

  @Test func `a row behind the newest ever is refused, even if the outbox is empty`() throws {
    let task = try TestTask(directory.path)
    for number in 1...3 { Sample.appendRow(number, to: &task.draft.rows) }
    try task.checkpoint()
    task.draft.removeOutboxUpTo = Sample.position(3)
    try task.checkpoint()
    Sample.appendRow(2, to: &task.draft.rows)
    let error = #expect(throws: StateError.self) { try task.checkpoint() }
    #expect(error?.exitCode == .software)
    try task.reopen()
    #expect(task.state.checkpoint == 2 && task.state.newestRow == Sample.position(3))
  }

  @Test func `rows out of order within a checkpoint leave nothing behind`() throws {
    let task = try TestTask(directory.path)
    for number in [1, 3, 2] { Sample.appendRow(number, to: &task.draft.rows) }
    task.set(Sample.record(1, time: 1), for: Sample.hash(1))
    #expect(throws: StateError.self) { try task.checkpoint() }
    try task.reopen()
    #expect(task.state.checkpoint == 0 && task.records.isEmpty)
    #expect(try task.store.outboxNumbers() == [])
    #expect(try task.store.verify() == [])
  }

  @Test func `rows that the counter of closed sessions leaves out are refused`() throws {
    let task = try TestTask(directory.path)
    let draft = CheckpointDraft(checkpoint: 1)
    Sample.appendRow(1, to: &draft.rows)
    let error = #expect(throws: StateError.self) { try task.store.commit(draft) }
    #expect(error?.exitCode == .software)
  }

  @Test func `rows of every length are kept`() throws {
    let task = try TestTask(directory.path)
    for number in 1...40 {
      Sample.appendRow(number, textBytes: number * number, to: &task.draft.rows)
    }
    let sent = task.draft.rows.bytes
    try task.checkpoint()
    let batch = try task.store.readOutbox(after: nil, maxRows: .max, maxBytes: .max)
    #expect(batch.bytes == sent)
  }
}

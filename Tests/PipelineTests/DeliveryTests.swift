import EventSources
import Pipeline
import Platform
import SessionModel
import StateStore
import TestSupport
import Testing

/// Sinks that are down, ahead, behind or stuck.
@Suite struct DeliveryTests {
  /// `sessions` sessions of one event each, a minute apart.
  private static func events(_ sessions: Int) -> [LoggedEvent] {
    (0..<sessions).map {
      LoggedEvent(
        point: EventPoint(
          time: (100 + 60 * Int64($0)) * .perSecond, partition: 0, offset: Int64($0)),
        userID: "1", ip: "a", url: "/\($0)", referrer: nil)
    }
  }

  private static func job() -> TestJob {
    var job = TestJob(gap: .perSecond, outOfOrderness: 0)
    job.options.closeAll = true
    return job
  }

  @Test func `rows that the sink has when the state is lost are skipped and counted`() throws {
    let job = Self.job()
    let values = [Self.events(7).map(\.json)]
    _ = try job.run(try MemorySource(values))
    try job.restoreState(nil)
    let state = try job.run(try MemorySource(values), owner: 2).state
    #expect(job.tables["table"]!.rows == batchRows(Self.events(7), gap: .perSecond))
    #expect(state.sinks.map(\.skipped) == [7])
    #expect(state.counters.delivered == 7)
  }

  @Test func `a table restored while it was down gets its rows or stops the run`() throws {
    var job = Self.job()
    let table = job.tables["table"]!
    // Acknowledged, but still in the outbox: the run ends before the checkpoint that removes them.
    let source = try MemorySource([Self.events(5).map(\.json)])
    source.onCall = { call in
      if call > 20, table.rows.count == 5 { source.failsAtCall = call }
    }
    job.options.isBounded = false
    job.options.closeAll = false
    job.options.idleTimeout = 0
    job.options.quietClose = 0
    job.options.checkpointInterval = 3_600 * .perSecond
    #expect(throws: RunFailure.self) { try job.run(source) }
    try #require(table.rows.count == 5)
    table.restore(rows: 2)
    table.contents.change { $0.isDown = true }
    job.options.isBounded = true
    job.options.checkpointInterval = 0
    let later = try MemorySource([Self.events(9).map(\.json)])
    later.batchRecords = 1
    later.onCall = { call in if call == 5 { table.contents.change { $0.isDown = false } } }
    job.options.closeAll = true
    _ = try job.run(later, owner: 2)
    #expect(table.rows == batchRows(Self.events(9), gap: .perSecond))
  }

  @Test func `a file that is stopped early while its sink is down is read on behind`() throws {
    var job = Self.job()
    let table = job.tables["table"]!
    let path = job.directory.path + "/events.jsonl"
    let events = Self.events(5_000)
    try Files.replace(path, with: events.flatMap { $0.json + [UInt8(ascii: "\n")] })
    table.contents.change { $0.isDown = true }
    job.options.shutdownTimeout = 300_000
    job.options.runFor = 0
    // Nothing is read in no time; then something is, but not all.
    for limit in [1, 2_000] as [UInt64] {
      job.options.outboxLimit = limit
      #expect(throws: RunFailure.self) { try job.run(try FileSource(paths: [path])) }
    }
    table.contents.change { $0.isDown = false }
    job.options.runFor = nil
    job.options.shutdownTimeout = 30 * .perSecond
    let state = try job.run(try FileSource(paths: [path]), owner: 2).state
    #expect(state.counters.recordsRead == 5_000)
    #expect(table.rows == batchRows(events, gap: .perSecond))
  }

  @Test func `a sink that is stuck in a write does not hold up the end of a run`() throws {
    var job = Self.job()
    let table = job.tables["table"]!
    table.contents.change { $0.isStuck = true }
    job.options.shutdownTimeout = 100_000
    let begin = Clock.monotonic
    let failure = #expect(throws: RunFailure.self) {
      try job.run(try MemorySource([Self.events(3).map(\.json)]))
    }
    #expect(failure?.exitCode == .unavailable)
    #expect(Clock.monotonic - begin < 20 * .perSecond)
    table.contents.change { $0.isStuck = false }
  }
}

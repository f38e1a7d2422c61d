import EventSources
import Pipeline
import Platform
import SessionModel
import StateStore
import TestSupport
import Testing

/// Runs that go on until they are asked to stop.
@Suite struct UnboundedRunTests {
  private static func events(partition: Int32, _ seconds: [Int64]) -> [LoggedEvent] {
    seconds.enumerated().map { offset, second in
      LoggedEvent(
        point: EventPoint(
          time: (100 + second) * .perSecond, partition: partition, offset: Int64(offset)),
        userID: "\(partition)", ip: "a", url: "/\(offset)", referrer: nil)
    }
  }

  private static func job() -> TestJob {
    var job = TestJob(gap: .perSecond, outOfOrderness: 0)
    job.options.isBounded = false
    job.options.idleTimeout = 50_000
    return job
  }

  @Test func `a quiet log has every session closed once, and no more checkpoints follow`() throws {
    var job = Self.job()
    job.options.quietClose = 100_000
    let table = job.tables["table"]!
    let logs = [Self.events(partition: 0, [0, 5, 9]), Self.events(partition: 1, [3]), []]
    let source = try MemorySource(logs.map { $0.map(\.json) }, stops: false)
    let stop = StopRequest()
    var callsSince = 0
    source.onCall = { _ in
      if table.rows.count == 4 { callsSince += 1 }
      if callsSince == 10 { stop.request() }
    }
    let state = try job.run(source, stop: stop).state
    #expect(table.rows == batchRows(logs.flatMap { $0 }, gap: .perSecond))
    #expect(state.counters.flushes == 1)
    #expect(state.counters.sessionsClosedByFlush >= 2)
    #expect(state.openSessions == 0)
    #expect(state.outboxRows == 0)
    #expect(state.checkpoint < 12)
  }

  @Test func `a full outbox pauses reading, and reading goes on once the sink is back`() throws {
    var job = Self.job()
    let table = job.tables["table"]!
    job.options.idleTimeout = 3_600 * .perSecond
    job.options.outboxLimit = 3
    let seconds = (0..<200).map { Int64($0) * 10 }
    let logs = [Self.events(partition: 0, seconds), Self.events(partition: 1, seconds)]
    table.contents.change { $0.isDown = true }
    let source = try MemorySource(logs.map { $0.map(\.json) }, stops: false)
    let stop = StopRequest()
    var pausedAt: [Int64] = []
    source.onCall = { call in
      let read = source.progress(of: 0).nextOffset + source.progress(of: 1).nextOffset
      if call > 20, table.rows.isEmpty { pausedAt.append(read) }
      if pausedAt.count == 3 { table.contents.change { $0.isDown = false } }
      if table.rows.count == 398 { stop.request() }
    }
    var paused = 0
    let state = try job.run(source, stop: stop) {
      if $0.hasPrefix("reading pauses") { paused += 1 }
    }
    .state
    #expect(paused > 0)
    #expect(state.counters.recordsRead == 400)
    #expect(table.rows.count == 398)
    #expect(state.outboxRows == 0)
  }
}

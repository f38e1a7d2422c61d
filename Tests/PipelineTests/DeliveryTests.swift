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

  @Test func `a sink that opens but takes no rows is down once and back once`() throws {
    var job = Self.job()
    job.tables["table"]!.contents.change { $0.failures = [.before, .before, .before] }
    job.options.shutdownTimeout = 30 * .perSecond
    let notices = Monitor<[String]>([])
    _ = try job.run(try MemorySource([Self.events(5).map(\.json)])) { notice in
      notices.change { $0.append(notice) }
    }
    #expect(
      notices.read { $0 } == [
        "sink table waits: before the write", "sink table is back after: before the write",
      ])
    #expect(job.tables["table"]!.rows == batchRows(Self.events(5), gap: .perSecond))
  }

  @Test func `a table restored while it is down gets its rows when it is back`() throws {
    var job = Self.job()
    let (table, other) = (job.tables["table"]!, MemoryTable())
    job.tables["other"] = other
    job.options.shutdownTimeout = 100_000
    // The state knows that one sink holds five rows; the other is down and keeps them in the outbox.
    other.contents.change { $0.isDown = true }
    for owner in 1...2 as ClosedRange<UInt8> {
      let source = try MemorySource([Self.events(5).map(\.json)])
      #expect(throws: RunFailure.self) { try job.run(source, owner: owner) }
    }
    try #require(table.rows.count == 5)
    // Now the first is down, an older backup of it comes back, and the other one catches up before.
    other.contents.change { $0.isDown = false }
    table.restore(rows: 2)
    table.contents.change { $0.isDown = true }
    job.options.shutdownTimeout = 30 * .perSecond
    let later = try MemorySource([Self.events(40).map(\.json)])
    later.batchRecords = 1
    later.onCall = { call in
      if call == 2 { _ = other.contents.wait { $0.rows.count >= 5 ? true : nil } }
      if call == 30 { table.contents.change { $0.isDown = false } }
    }
    _ = try job.run(later, owner: 3)
    #expect(other.rows == batchRows(Self.events(40), gap: .perSecond))
    #expect(table.rows == other.rows)
  }

  @Test func `a file is not read while the outbox is full, and nothing of it is lost`() throws {
    var job = Self.job()
    let table = job.tables["table"]!
    let path = job.directory.path + "/events.jsonl"
    let events = Self.events(20_000)
    let bytes = events.flatMap { $0.json + [UInt8(ascii: "\n")] }
    table.contents.change { $0.isDown = true }
    job.options.shutdownTimeout = 100_000
    // The first lines fill the outbox; then the file grows.
    try Files.replace(path, with: events[..<10].flatMap { $0.json + [UInt8(ascii: "\n")] })
    #expect(throws: RunFailure.self) { try job.run(try FileSource(paths: [path])) }
    try Files.replace(path, with: bytes)
    job.options.outboxLimit = 10
    job.options.runFor = 300_000
    let stopped = try FileSource(paths: [path])
    let failure = #expect(throws: RunFailure.self) { try job.run(stopped) }
    #expect(failure?.exitCode == .unavailable)
    #expect(stopped.progress(of: 0).nextOffset < Int64(bytes.count))
    table.contents.change { $0.isDown = false }
    job.options.outboxLimit = 1_000_000
    job.options.runFor = nil
    job.options.shutdownTimeout = 30 * .perSecond
    let state = try job.run(try FileSource(paths: [path]), owner: 2).state
    #expect(state.counters.recordsRead == 20_000)
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

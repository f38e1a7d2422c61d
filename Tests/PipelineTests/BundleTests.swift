import Pipeline
import Platform
import SessionModel
import Sinks
import StateStore
import TestSupport
import Testing

/// Sinks that have rows gathered for them.
@Suite struct BundleTests {
  private static let hour: Microseconds = 3_600 * .perSecond
  private static let sessions = 40

  /// `sessions` sessions of one event each, a minute apart.
  private static let events = (0..<sessions).map {
    LoggedEvent(
      point: EventPoint(
        time: (100 + 60 * Int64($0)) * .perSecond, partition: 0, offset: Int64($0)),
      userID: "1", ip: "a", url: "/\($0)", referrer: nil)
  }

  /// A checkpoint after each record.
  private static func source() throws -> MemorySource {
    let source = try MemorySource([events.map(\.json)])
    source.batchRecords = 1
    return source
  }

  private static func job(bundleRows: Int) -> TestJob {
    var job = TestJob(gap: .perSecond, outOfOrderness: 0)
    job.options.closeAll = true
    job.tables["table"] = MemoryTable(
      bundle: SinkBundle(interval: hour, rows: bundleRows, bytes: 1 << 20))
    return job
  }

  /// Gives deliveries time in the midst of a run, until the table has so many rows. A little at each
  /// call, since the run must go on for the rows of a checkpoint to be delivered.
  private static func wait(for table: MemoryTable, rows: Int) {
    let deadline = Clock.monotonic + 200_000
    _ = table.contents.wait(until: deadline) { $0.rows.count >= rows ? true : nil }
  }

  @Test func `rows wait for their interval, and the end of a run for nothing`() throws {
    let job = Self.job(bundleRows: 1_000)
    let table = job.tables["table"]!
    let source = try Self.source()
    var beforeTheEnd = 0
    source.onCall = { call in
      if call > 2 { Self.wait(for: table, rows: 1) }
      if call == Self.sessions { beforeTheEnd = table.contents.read { $0.writes.count } }
    }
    _ = try job.run(source)
    #expect(beforeTheEnd == 1, "the first rows do not wait, all others do")
    #expect(table.rows == batchRows(Self.events, gap: .perSecond))
  }

  @Test func `as many rows as one write takes do not wait`() throws {
    let job = Self.job(bundleRows: 5)
    let table = job.tables["table"]!
    let source = try Self.source()
    var writes: [Int] = []
    source.onCall = { call in
      if call > 4 { Self.wait(for: table, rows: call - 12) }
      if call == Self.sessions { writes = table.contents.read { $0.writes } }
    }
    _ = try job.run(source)
    #expect(writes.count > 3)
    #expect(writes.filter { $0 != 5 }.count <= 1, "only the first rows do not wait: \(writes)")
    #expect(table.rows == batchRows(Self.events, gap: .perSecond))
  }

  @Test func `a full outbox does not wait, so that reading goes on`() throws {
    var job = Self.job(bundleRows: 1_000)
    job.options.outboxLimit = 10
    job.options.runFor = 20 * .perSecond
    let state = try job.run(try Self.source()).state
    #expect(state.counters.recordsRead == UInt64(Self.sessions))
    #expect(job.tables["table"]!.rows == batchRows(Self.events, gap: .perSecond))
  }
}

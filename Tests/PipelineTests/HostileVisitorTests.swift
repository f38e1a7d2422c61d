import Pipeline
import SessionModel
import StateStore
import TestSupport
import Testing
import Windowing

/// One visitor with more sessions than a record of the state can hold.
@Suite struct HostileVisitorTests {
  private func source(_ times: some Sequence<Int64>) throws -> MemorySource {
    let values = times.map { Array("{\"event_time\":\($0),\"ip\":\"192.0.2.1\"}".utf8) }
    let source = try MemorySource([values])
    source.batchRecords = 1_000
    return source
  }

  @Test func `sessions that close in time never reach the bound`() throws {
    let job = TestJob(gap: 1, outOfOrderness: 0)
    let summary = try job.run(try source((0..<140_000).map { $0 * 10 }))
    #expect(summary.state.counters.rejected == 0)
    #expect(summary.state.counters.eventsInSessions == 140_000)
    #expect(summary.state.counters.sessionsClosed >= 139_999)
  }

  @Test func `of a rejected record the first 4 KiB are kept, and its length`() throws {
    let job = TestJob(gap: 1, outOfOrderness: 0)
    let value = [UInt8](repeating: 0x78, count: Limits.keptPayloadBytes + 1)
    _ = try job.run(try MemorySource([[value]]))
    var kept: [SideRecord] = []
    try StateReader.open(directory: job.state).forEachRecord(of: .rejected) {
      kept.append($0)
      return true
    }
    #expect(kept.map(\.payload) == [Array(value.dropLast())])
    #expect(kept.map(\.valueLength) == [Int64(value.count)])
  }

  @Test func `an event that would open one session too many is a rejected record`() throws {
    var job = TestJob(gap: 1, outOfOrderness: 10_000_000)
    job.options.closeAll = true
    let tooMany = 5
    let events = Int64(SessionTable.sessionsPerKey + tooMany)
    let summary = try job.run(try source((0..<events).map { $0 * 10 } + [0]))
    let counters = summary.state.counters
    #expect(counters.rejectedByReason[Int(RejectReason.tooManySessions.rawValue)] == 5)
    #expect(counters.eventsInSessions == UInt64(SessionTable.sessionsPerKey + 1))
    #expect(counters.recordsRead == counters.eventsInSessions + counters.rejected)
    #expect(counters.sessionsClosed == UInt64(SessionTable.sessionsPerKey))
    #expect(job.tables["table"]?.rows.count == SessionTable.sessionsPerKey)

    var offsets: [Int64] = []
    try StateReader.open(directory: job.state).forEachRecord(of: .rejected) {
      offsets.append($0.offset)
      return true
    }
    #expect(offsets == (events - Int64(tooMany)..<events).map { $0 })
  }
}

import EventSources
import Pipeline
import SessionModel
import StateStore
import TestSupport
import Testing

/// `--drop-bots`: rows with it are the rows without it, less those of bots, which are all kept
/// apart; whatever the log is, however it is read, and through kills.
@Suite struct DroppedBotsTests {
  /// Random events over some partitions; a session is a bot's where its first event is.
  private static func logs(seed: UInt64) -> [[[UInt8]]] {
    var random = RandomNumbers(seed: seed)
    return (0..<3).map { _ in
      var second: Int64 = 1_000
      return (0..<120).map { _ in
        second += Int64(random.below(3))
        return LoggedEvent(
          point: EventPoint(time: second * .perSecond, partition: 0, offset: 0),
          userID: "\(random.below(4))", ip: "a", url: "/\(random.below(9))", referrer: nil,
          device: random.pick([nil, "Spider", "Other"])
        ).json
      }
    }
  }

  private func job(dropsBots: Bool, rowsPerCheckpoint: Int) -> TestJob {
    var job = TestJob(gap: 2 * .perSecond, outOfOrderness: .perSecond)
    job.options.dropsBots = dropsBots
    job.options.closeAll = true
    job.options.bounds.rowsPerCheckpoint = rowsPerCheckpoint
    return job
  }

  private static func isBot(_ row: [UInt8]) -> Bool {
    row.withUnsafeBytes { SessionRow(bytes: $0)!.isBot }
  }

  private static func events(of rows: [[UInt8]]) -> UInt64 {
    rows.reduce(0) { sum, row in
      sum + row.withUnsafeBytes { SessionRow(bytes: $0)!.eventCount }
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `the table holds all rows but those of bots, and the side output these`(
    seed: UInt64
  ) throws {
    let logs = Self.logs(seed: seed)
    let calm = job(dropsBots: false, rowsPerCheckpoint: 1_000)
    let without = try calm.run(MemorySource(logs, seed: seed)).state
    let rows = calm.tables["table"]!.rows
    #expect(rows.contains(where: Self.isBot) && !rows.allSatisfy(Self.isBot))
    #expect(without.counters.botSessions == 0)
    #expect(try StateReader.open(directory: calm.state).botRows() == [])

    let struck = job(dropsBots: true, rowsPerCheckpoint: 1 + Int(seed) % 7)
    var random = RandomNumbers(seed: seed)
    var state = CheckpointState()
    for life in 1...60 as ClosedRange<UInt8> {
      let source = try MemorySource(logs, seed: seed * 100 + UInt64(life))
      if life < 8 { source.failsAtCall = 1 + random.below(40) }
      do {
        state = try struck.run(source, owner: life).state
        break
      } catch {
        #expect(life < 8)
      }
    }
    let bots = rows.filter(Self.isBot)
    #expect(struck.tables["table"]!.rows == rows.filter { !Self.isBot($0) })
    let reader = try StateReader.open(directory: struck.state)
    #expect(try reader.botRows() == bots)
    #expect(try reader.verify() == [])
    #expect(state.kept.bots.rows == UInt64(bots.count))
    let counters = state.counters
    #expect(counters.botSessions == UInt64(bots.count))
    #expect(counters.botEvents == Self.events(of: bots))
    #expect(counters.sessionsClosed + counters.botSessions == without.counters.sessionsClosed)
    #expect(counters.delivered == counters.sessionsClosed)
    #expect(counters.eventsInSessions == Self.events(of: rows))
    #expect(counters.recordsRead == counters.eventsInSessions + counters.late + counters.rejected)
  }

  @Test func `the run stops where the state may keep no more bots, and loses none`() throws {
    let logs = Self.logs(seed: 1)
    let calm = job(dropsBots: true, rowsPerCheckpoint: 3)
    let all = try calm.run(MemorySource(logs)).state.kept.bots.rows
    try #require(all > 3)
    var full = job(dropsBots: true, rowsPerCheckpoint: 3)
    full.stateOptions.sideLimits[.bots]!.rows = all - 1
    let failure = #expect(throws: RunFailure.self) { try full.run(MemorySource(logs)) }
    #expect(failure?.exitCode == .inputOutput)
    #expect(failure?.description.contains("sojourn purge bots") == true)
    let kept = try StateReader.open(directory: full.state).botRows()
    try StateReader.purge(.bots, directory: full.state)
    let state = try full.run(MemorySource(logs), owner: 2).state
    #expect(state.counters.botSessions == all)
    let reader = try StateReader.open(directory: full.state)
    #expect(try kept + reader.botRows() == StateReader.open(directory: calm.state).botRows())
    #expect(try reader.verify() == [])
  }
}

import EventSources
import Pipeline
import Platform
import SessionModel
import StateStore
import TestSupport
import Testing

/// Random logs through the whole loop, ended at random, on states that are sometimes older copies,
/// into a table that sometimes fails, against a batch job. A failing seed is in the message.
@Suite struct RandomRunTests {
  static let seeds: UInt64 = 50
  static let gap: Microseconds = 600_000
  static let outOfOrderness: Microseconds = 200_000

  static func randomLogs(_ random: inout RandomNumbers) -> [[LoggedEvent]] {
    (0..<(1 + random.below(4))).map { partition in
      var clock: Microseconds = 100 * .perSecond
      return (0..<random.below(60)).map { offset in
        clock += random.pick([0, 100_000, 200_000, 500_000, 600_000, 700_000, 900_000])
        let time = clock - random.pick([0, 0, 0, 100_000, 200_000, 300_000, 800_000])
        return LoggedEvent(
          point: EventPoint(time: time, partition: Int32(partition), offset: Int64(offset)),
          userID: random.pick(["", "1"]), ip: random.pick(["a", "b", "c"]),
          url: String(repeating: "/", count: random.below(90)),
          referrer: random.pick([nil, "x"]))
      }
    }
  }

  /// What a partition's own log says of its events.
  static func onTime(_ log: [LoggedEvent]) -> [LoggedEvent] {
    var greatest = Microseconds.never
    return log.filter { event in
      defer { greatest = max(greatest, event.point.time) }
      return event.point.time >= greatest - outOfOrderness
    }
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `whatever ends a run, the table is that of a batch job`(share: UInt64) throws {
    var resumed = 0
    for seed in share * Self.seeds..<(share + 1) * Self.seeds {
      var random = RandomNumbers(seed: seed)
      let logs = Self.randomLogs(&random)
      var job = TestJob(gap: Self.gap, outOfOrderness: Self.outOfOrderness)
      job.options.maxDrift = random.pick([nil, 0, 500_000])
      let table = job.tables["table"]!
      var values = logs.map { $0.map(\.json) }
      // Some records are none.
      for index in values.indices where random.oneIn(3) { values[index].append(Array("x".utf8)) }
      var copies: [[UInt8]?] = [nil]
      for life in 0..<random.below(4) {
        job.options.checkpointInterval = random.pick([0, 1_000, .perSecond])
        if random.oneIn(10) {
          table.contents.change { $0.failures = random.pick([[.before], [.behind]]) }
        }
        let source = try MemorySource(values, seed: random.next())
        let stop = StopRequest()
        let end = 1 + random.below(30)
        if random.oneIn(2) {
          source.failsAtCall = end
        } else {
          source.onCall = { if $0 == end { stop.request() } }
        }
        do {
          let summary = try job.run(source, stop: stop, owner: UInt8(life))
          try #require(summary.state.outboxRows == 0, "seed \(seed)")
        } catch let failure as RunFailure {
          try #require(failure.description == "killed", "seed \(seed)")
        }
        copies.append(try job.saveState())
        if random.oneIn(4) { try job.restoreState(random.pick(copies)) } else { resumed += 1 }
      }
      job.options.closeAll = true
      let source = try MemorySource(values, seed: random.next())
      let counters = try job.run(source, owner: 99).state.counters
      let onTime = logs.flatMap { Self.onTime($0) }
      try #require(table.rows == batchRows(onTime, gap: Self.gap), "seed \(seed)")
      try #require(counters.recordsRead == UInt64(values.joined().count), "seed \(seed)")
      try #require(counters.eventsInSessions == UInt64(onTime.count), "seed \(seed)")
      try #require(counters.late == UInt64(logs.joined().count - onTime.count), "seed \(seed)")
      try #require(
        counters.recordsRead == counters.eventsInSessions + counters.late + counters.rejected)
      try #require(counters.sessionsClosed == UInt64(table.rows.count), "seed \(seed)")
      try #require(counters.delivered == counters.sessionsClosed, "seed \(seed)")
    }
    #expect(resumed > 20)
  }
}

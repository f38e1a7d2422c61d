import SessionModel
import TestSupport
import Testing
import Windowing

/// Random logs, run in random interleavings with random checkpoints and restarts, against a batch
/// job over the log without its late events. A failing seed is in the message.
@Suite struct RandomStreamTests {
  static let streams: UInt64 = 100_000

  static func randomLogs(_ random: inout RandomNumbers) -> [[LoggedEvent]] {
    (0..<(1 + random.below(4))).map { partition in
      var clock: Microseconds = 100
      return (0..<random.below(26)).map { offset in
        clock += random.pick([0, 1, 2, 5, 6, 7, 9])
        let time = clock - random.pick([0, 0, 0, 1, 2, 3, 4, 8])
        return LoggedEvent(
          point: EventPoint(time: time, partition: Int32(partition), offset: Int64(offset)),
          userID: random.pick(["", "1"]), ip: random.pick(["a", "b"]),
          visitor: random.pick(["v", "w"]),
          url: String(repeating: "/", count: random.below(90))
            + random.pick(["", "", "?q", ".css", ".css?q", "a.html"]),
          referrer: random.pick([nil, "x"]))
      }
    }
  }

  /// What may happen besides reading.
  struct Faults {
    var restarts = false
    var oldRestores = false
    var idle = false
    var flushes = false
  }

  static func run(
    _ logs: [[LoggedEvent]], _ random: inout RandomNumbers, _ faults: Faults,
    key: KeyLayout = .standard, split: Microseconds = 0
  ) throws -> SimulatedTask {
    var task = SimulatedTask(logs: logs, key: key, split: split)
    while let partition = task.unread.isEmpty ? nil : random.pick(task.unread) {
      for _ in 0...random.below(6) where task.unread.contains(partition) {
        try task.read(partition)
      }
      if faults.idle, random.oneIn(10) {
        task.marks.setIdle(true, partition: Int32(random.below(logs.count)))
      }
      if faults.flushes, random.oneIn(30) {
        task.marks.flush()
        task.checkpoint(rowLimit: random.below(3))
      }
      if random.oneIn(2) { task.checkpoint(rowLimit: random.pick([0, 1, 2, 99])) }
      if faults.restarts, random.oneIn(8) { task.restart(from: task.checkpoints.count - 1) }
      if faults.oldRestores, random.oneIn(16) {
        task.restart(from: random.below(task.checkpoints.count))
      }
    }
    task.marks.flush()
    task.checkpoint(rowLimit: .max / 2)
    return task
  }

  @Test func `rows and late set equal a batch job over the log without its late events`() throws {
    for seed in 0..<Self.streams {
      var random = RandomNumbers(seed: seed)
      let logs = Self.randomLogs(&random)
      let plain = try Self.run(logs, &random, Faults())
      let late = Set(plain.late)
      let expected = batchRows(
        logs.joined().filter { !late.contains($0.point) }, gap: SimulatedTask.gap)
      try #require(plain.sink == expected, "seed \(seed)")
      try #require(plain.table.openSessions == 0 && plain.table.closingSessions == 0)

      let restarted = try Self.run(logs, &random, Faults(restarts: true))
      try #require(restarted.sink == expected, "restarts, seed \(seed)")
      try #require(Set(restarted.late) == late, "restarts, seed \(seed)")

      let restored = try Self.run(logs, &random, Faults(restarts: true, oldRestores: true))
      try #require(restored.sink == expected, "old states, seed \(seed)")
      try #require(Set(restored.late) == late, "old states, seed \(seed)")
    }
  }

  static let keys = [
    ["visitor"], ["visitor", "user_id"], ["ip", "visitor"], ["ip"], ["ip", "user_id"],
  ]

  @Test(arguments: keys)
  func `with any other key rows equal a batch job's; what is no key field is folded`(
    fields: [String]
  ) throws {
    let key = KeyLayout(fields)
    for seed in 0..<Self.streams / 50 {
      var random = RandomNumbers(seed: seed)
      let logs = Self.randomLogs(&random)
      let task = try Self.run(logs, &random, Faults(restarts: true, oldRestores: true), key: key)
      let late = Set(task.late)
      let expected = batchRows(
        logs.joined().filter { !late.contains($0.point) }, gap: SimulatedTask.gap, key: key)
      try #require(task.sink == expected, "seed \(seed)")
    }
  }

  @Test(arguments: [3, 10, 40] as [Microseconds])
  func `cut at a grid, rows equal a batch job's that cuts there`(split: Microseconds) throws {
    for seed in 0..<Self.streams / 50 {
      var random = RandomNumbers(seed: seed)
      let logs = Self.randomLogs(&random)
      let task = try Self.run(
        logs, &random, Faults(restarts: true, oldRestores: true), split: split)
      let late = Set(task.late)
      let expected = batchRows(
        logs.joined().filter { !late.contains($0.point) }, gap: SimulatedTask.gap, split: split)
      try #require(task.sink == expected, "seed \(seed)")
    }
  }

  @Test func `with idle partitions and flushes no event is lost and no id comes twice`() throws {
    for seed in 0..<Self.streams / 5 {
      var random = RandomNumbers(seed: seed)
      let logs = Self.randomLogs(&random)
      let task = try Self.run(
        logs, &random, Faults(restarts: true, idle: true, flushes: seed % 2 == 0))
      var events = task.late.count
      var ids = Set<SessionID>()
      var position: RowPosition?
      for bytes in task.sink {
        try bytes.withUnsafeBytes { encoded in
          let row = try #require(SessionRow(bytes: encoded))
          events += Int(row.eventCount)
          try #require(ids.insert(row.sessionID).inserted, "an id twice, seed \(seed)")
          try #require(position.map { $0 < row.position } ?? true, "order, seed \(seed)")
          position = row.position
        }
      }
      try #require(events == logs.joined().count, "lost or doubled, seed \(seed)")
    }
  }
}

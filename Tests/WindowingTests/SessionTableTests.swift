import SessionModel
import TestSupport
import Testing
import Windowing

@Suite struct SessionTableTests {
  static let gap: Microseconds = 300

  /// Runs events through a table and gives its rows as (start, end, count, landing, exit).
  static func sessions(
    _ times: [Microseconds], closing: [Int: Microseconds] = [:]
  ) throws -> [String] {
    let table = SessionTable(gap: gap) { _, _, _ in preconditionFailure("nothing is on disk") }
    let hasher = KeyHasher(seed: (3, 4))
    var closeLine = Microseconds.never
    for (offset, time) in times.enumerated() {
      if let line = closing[offset] {
        closeLine = line
        try table.sweep(to: line)
      }
      try withText("7") { user in
        Result {
          try withEvent(user: user, time: time) { event in
            try table.add(
              event, at: EventPoint(time: time, partition: 0, offset: Int64(offset)),
              hash: hasher.hash(event.key), closeLine: closeLine)
          }
        }
      }.get()
    }
    try table.sweep(to: .max)
    var rows = RowBatch()
    try table.takeRows(limit: .max / 2, into: &rows)
    var list: [String] = []
    rows.forEachRow { row in
      let texts = [RowText.landingURL, .exitURL].map { String(decoding: row[$0]!, as: UTF8.self) }
      list.append(
        "\(row.sessionStart)-\(row.sessionEnd) ×\(row.eventCount) \(texts.joined(separator: " "))")
    }
    return list
  }

  static func withEvent(
    user: TextView, time: Microseconds, _ body: (Event) throws -> Void
  ) throws {
    try withText("10.0.0.1") { ip in
      withText("/\(time)") { url in
        Result {
          try Event.with(userID: user, ip: ip) { event in
            var event = event
            event.time = time
            event.url = url
            try body(event)
          }
        }
      }
    }.get()
  }

  @Test(
    arguments: [
      // An event exactly one gap later extends the session; one µs more opens another.
      ([1_000, 1_300], ["1000-1300 ×2 /1000 /1300"]),
      ([1_000, 1_301], ["1000-1000 ×1 /1000 /1000", "1301-1301 ×1 /1301 /1301"]),
      // The same backwards.
      ([1_300, 1_000], ["1000-1300 ×2 /1000 /1300"]),
      ([1_301, 1_000], ["1000-1000 ×1 /1000 /1000", "1301-1301 ×1 /1301 /1301"]),
      // An event between two sessions joins them into one.
      ([1_000, 1_600, 1_300], ["1000-1600 ×3 /1000 /1600"]),
      ([1_000, 1_601, 1_300], ["1000-1300 ×2 /1000 /1300", "1601-1601 ×1 /1601 /1601"]),
      // Three sessions of one key are open at once; an inner event counts in its own.
      (
        [1_000, 3_000, 2_000, 2_100, 2_050],
        ["1000-1000 ×1 /1000 /1000", "2000-2100 ×3 /2000 /2100", "3000-3000 ×1 /3000 /3000"]
      ),
      // Equal times count each.
      ([5, 5, 5], ["5-5 ×3 /5 /5"]),
    ] as [([Microseconds], [String])])
  func `events merge with every session that they touch`(
    times: [Microseconds], expected: [String]
  ) throws {
    #expect(try Self.sessions(times) == expected)
  }

  @Test func `a closed session is not touched though its row is not written`() throws {
    let rows = try Self.sessions([1_000, 1_301, 1_290], closing: [1: 1_001])
    #expect(rows == ["1000-1000 ×1 /1000 /1000", "1290-1301 ×2 /1290 /1301"])
  }

  @Test func `a session whose last event is at the close line is still open`() throws {
    let rows = try Self.sessions([1_000, 1_300], closing: [1: 1_000])
    #expect(rows == ["1000-1300 ×2 /1000 /1300"])
  }

  @Test func `a key that came and went between two checkpoints leaves no trace`() throws {
    let table = SessionTable(gap: Self.gap) { _, _, _ in preconditionFailure("not on disk") }
    try Self.withEvent(user: TextView(start: nil, count: 0), time: 5) { event in
      try table.add(
        event, at: EventPoint(time: 5, partition: 0, offset: 0), hash: KeyHash(high: 1, low: 1),
        closeLine: .never)
    }
    try table.sweep(to: 6)
    var rows = RowBatch()
    try table.takeRows(limit: 1, into: &rows)
    var writes = 0
    table.takeChanges { _, _, _, _ in
      writes += 1
      return .none
    }
    #expect(writes == 0 && rows.count == 1)
    #expect(table.place(of: KeyHash(high: 1, low: 1)) == nil)
    #expect(table.recordBytes == 0)
  }

  @Test func `two keys with one hash stop the table`() throws {
    let table = SessionTable(gap: Self.gap) { _, _, _ in preconditionFailure("not on disk") }
    let hash = KeyHash(high: 1, low: 1)
    let point = EventPoint(time: 5, partition: 0, offset: 0)
    try withText("1") { user in
      Result {
        try Self.withEvent(user: user, time: 5) {
          try table.add($0, at: point, hash: hash, closeLine: .never)
        }
      }
    }.get()
    #expect(throws: SessionTableError.hashCollision) {
      try withText("2") { user in
        Result {
          try Self.withEvent(user: user, time: 5) {
            try table.add($0, at: point, hash: hash, closeLine: .never)
          }
        }
      }.get()
    }
  }

  @Test func `a malformed record from the log stops the table`() throws {
    let place = RecordPlace(chunk: 1 << 16, offset: 0, length: 3)
    let table = SessionTable(gap: Self.gap) { _, _, body in
      [UInt8]([2, 0, 9]).withUnsafeBytes { body($0) }
    }
    _ = table.recover(hash: KeyHash(high: 1, low: 1), place: place, leastLast: 5)
    table.finishRecovery(sessions: 1)
    #expect(throws: SessionTableError.malformedRecord(place)) { try table.sweep(to: 10) }
  }
}

import SessionModel
import TestSupport
import Testing
import Windowing

/// What visitors can do who choose their names, addresses and times to do harm.
@Suite struct HostileVisitorTests {
  private func table(gap: Microseconds = 300) -> SessionTable {
    SessionTable(gap: gap) { _, _, _ in preconditionFailure("nothing is on disk") }
  }

  private func add(
    _ user: [UInt8], time: Microseconds, offset: Int64 = 0, to table: SessionTable,
    hasher: KeyHasher, url: [UInt8] = []
  ) throws {
    let ip = Array("10.0.0.1".utf8)
    try user.withUnsafeBytes { user in
      try ip.withUnsafeBytes { ip in
        try url.withUnsafeBytes { url in
          try Event.with(userID: user, ip: ip) { event in
            var event = event
            (event.time, event.url) = (time, url)
            try table.add(
              event, at: EventPoint(time: time, partition: 0, offset: offset),
              hash: hasher.hash(event.key), closeLine: .never)
          }
        }
      }
    }
  }

  private func name(_ number: UInt64) -> [UInt8] { Array("u\(number)".utf8) }

  /// Names whose hashes under a seed are equal in the bits that a small table goes by.
  private func colliding(_ count: Int, under hasher: KeyHasher) -> [[UInt8]] {
    let ip = Array("10.0.0.1".utf8)
    var names: [[UInt8]] = []
    var number: UInt64 = 0
    while names.count < count {
      let candidate = name(number)
      let hash = candidate.withUnsafeBytes { user in
        ip.withUnsafeBytes { hasher.hash(userID: user, ip: $0) }
      }
      if hash.high >> 53 == 0 { names.append(candidate) }
      number += 1
    }
    return names
  }

  @Test func `names made to collide under one seed are found at once under any other`() throws {
    let known = KeyHasher(seed: (3, 4))
    let names = colliding(1_000, under: known)
    func probes(_ hasher: KeyHasher) throws -> Int {
      let table = table()
      for name in names { try add(name, time: 5, to: table, hasher: hasher) }
      return table.mostProbes
    }
    // Who knew the seed could make each event look through all names: this is what the seed is for.
    #expect(try probes(known) >= 1_000)
    for seed in 1...20 as ClosedRange<UInt64> {
      #expect(try probes(KeyHasher(seed: (seed, seed &* 77))) <= 128)
    }
  }

  @Test func `a session more than a record can hold is refused and changes nothing`() throws {
    let table = table()
    let hasher = KeyHasher(seed: (1, 2))
    let all = SessionTable.sessionsPerKey
    for number in 0..<all {
      try add([1], time: Int64(number) * 1_000, offset: Int64(number), to: table, hasher: hasher)
    }
    let next = Int64(all) * 1_000
    for time in [next, next - 500, 500] {
      #expect(throws: SessionTableError.tooManySessions) {
        try add([1], time: time, offset: 99_999, to: table, hasher: hasher)
      }
    }
    #expect(table.openSessions == UInt64(all))
    // An event inside a session, and another visitor's, are as welcome as ever.
    try add([1], time: 0, offset: 100_000, to: table, hasher: hasher)
    try add([2], time: next, to: table, hasher: hasher)
    try table.sweep(to: .max)
    var rows = RowBatch()
    while table.closingSessions > 0 { try table.takeRows(limit: 1_000, into: &rows) }
    var counts: [UInt64] = []
    rows.forEachRow { counts.append($0.eventCount) }
    #expect(
      counts.count == all + 1 && counts.first == 2 && counts.dropFirst().allSatisfy { $0 == 1 })
  }

  @Test func `a visitor's sessions have a bound in bytes`() throws {
    let table = table()
    let hasher = KeyHasher(seed: (1, 2))
    let url = [UInt8](repeating: 0x61, count: Limits.keptTextBytes)
    var sessions = 0
    #expect(throws: SessionTableError.tooManySessions) {
      while true {
        try add(
          [1], time: Int64(sessions) * 1_000, offset: Int64(sessions), to: table, hasher: hasher,
          url: url)
        sessions += 1
      }
    }
    #expect(sessions > 25_000)
    #expect(table.recordBytes < SessionTable.recordBytesPerKey + 10_000)
  }

  @Test func `a visitor's rows leave in pieces and in order, the others stay`() throws {
    let table = table()
    let hasher = KeyHasher(seed: (1, 2))
    for number in 0..<5_000 {
      for user in [1, 2] as [UInt8] {
        try add(
          [user], time: Int64(number) * 1_000, offset: Int64(number), to: table, hasher: hasher,
          url: name(UInt64(number)))
      }
    }
    var rows = RowBatch()
    for line in [1_000_000, 3_000_500, Microseconds.max] {
      try table.sweep(to: line)
      while table.closingSessions > 0 { try table.takeRows(limit: 333, into: &rows) }
    }
    var urls: [[UInt8]] = []
    rows.forEachRow { urls.append(Array($0[.landingURL]!)) }
    #expect(urls == (0..<10_000).map { name(UInt64($0 / 2)) })
    #expect(table.openSessions == 0 && table.recordBytes == 0)
  }

  @Test func `a visitor with one session of short texts takes less than 640 bytes of memory`()
    throws
  {
    let table = table()
    let hasher = KeyHasher(seed: (1, 2))
    for number in 0..<100_000 as Range<UInt64> {
      try add(
        name(number), time: 5, to: table, hasher: hasher,
        url: Array("/a/page/of/the/usual/length?with=a&few=parameters".utf8))
    }
    #expect(table.memoryBytes / 100_000 < 640, "\(table.memoryBytes) bytes")
  }
}

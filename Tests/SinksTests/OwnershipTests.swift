import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// Whose a table is, and what happens when somebody else has a hand in it; for every sink.
@Suite struct OwnershipTests {
  @Test(arguments: SinkUnderTest.fenced)
  func `a second process takes over and the first stops at its next write`(
    _ kind: SinkUnderTest
  ) throws {
    let home = kind.makeHome()
    let (first, _) = try home.open(1)
    let rows = SampleRows.batch(0..<10)
    try first.write(after: nil, rows: rows)
    let (second, position) = try home.open(2)
    let more = SampleRows.batch(10..<20)
    let refused = failure { () throws(SinkError) in try first.write(after: position, rows: more) }
    #expect(refused?.kind == "takenOver")
    #expect(refused?.description.contains(SampleRows.owner(2).text) == true)
    #expect(try home.lines() == SampleRows.lines(rows))
    try second.write(after: position, rows: more)
    #expect(try home.lines() == SampleRows.lines(rows, more))
  }

  @Test(arguments: SinkUnderTest.fenced)
  func `a process that was replaced cannot come back after an error`(_ kind: SinkUnderTest) throws {
    let home = kind.makeHome()
    let (first, _) = try home.open(1)
    let (second, _) = try home.open(2)
    let error = failure { () throws(SinkError) in
      _ = try first.open(
        identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .again, adopt: false)
    }
    #expect(error?.kind == "takenOver")
    try second.write(after: nil, rows: SampleRows.batch(0..<1))
  }

  @Test(arguments: SinkUnderTest.all)
  func `a process that still owns the table comes back after an error`(_ kind: SinkUnderTest) throws
  {
    let home = kind.makeHome()
    let (sink, _) = try home.open()
    let rows = SampleRows.batch(0..<10)
    try sink.write(after: nil, rows: rows)
    let position = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .again, adopt: false)
    #expect(position == home.told(rows.lastPosition))
    try sink.write(after: position, rows: SampleRows.batch(10..<11))
    #expect(try home.lines().count == 11)
  }

  @Test(arguments: SinkUnderTest.all, [SampleRows.otherJob, SampleRows.otherGap])
  func `a table of another job is refused by both names and kept when adopted`(
    _ kind: SinkUnderTest, _ other: JobIdentity
  ) throws {
    let home = kind.makeHome()
    let rows = SampleRows.batch(0..<10)
    let (sink, _) = try home.open(1)
    try sink.write(after: nil, rows: rows)
    let stranger = home.makeSink()
    let error = failure { () throws(SinkError) in
      _ = try stranger.open(
        identity: other, owner: SampleRows.owner(2), claim: .first, adopt: false)
    }
    #expect(error?.kind == "foreign")
    for identity in [SampleRows.identity, other] {
      #expect(error?.description.contains("\"\(identity.job)\"") == true)
      #expect(error?.description.contains(identity.fingerprint.text) == true)
    }
    // The refusal changed nothing: the owner still writes.
    try sink.write(after: rows.lastPosition, rows: SampleRows.batch(10..<20))

    let adopted = try stranger.open(
      identity: other, owner: SampleRows.owner(2), claim: .first, adopt: true)
    #expect(adopted == home.told(SampleRows.batch(10..<20).lastPosition))
    try stranger.write(after: adopted, rows: SampleRows.batch(20..<30))
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<30)))
    let former = failure { () throws(SinkError) in
      _ = try home.makeSink().open(
        identity: SampleRows.identity, owner: SampleRows.owner(3), claim: .first, adopt: false)
    }
    #expect(former?.kind == "foreign")
  }

  @Test(arguments: SinkUnderTest.all)
  func `rows that nobody has claimed are refused unless adopted`(_ kind: SinkUnderTest) throws {
    let home = kind.makeHome()
    try home.makeForeignRows()
    let sink = home.makeSink()
    for adopt in [false, true] {
      let error = failure { () throws(SinkError) in
        _ = try sink.open(
          identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: adopt)
      }
      #expect(error?.kind == (adopt ? nil : "foreign"))
      #expect(try home.lines().count == 1)
    }
  }

  @Test(arguments: SinkUnderTest.restorable)
  func `a table restored from a backup says the backup's position`(_ kind: SinkUnderTest) throws {
    let home = kind.makeHome()
    let (sink, _) = try home.open(1)
    let old = SampleRows.batch(0..<10)
    try sink.write(after: nil, rows: old)
    try home.backUp()
    try sink.write(after: old.lastPosition, rows: SampleRows.batch(10..<20))
    sink.close()
    try home.restore()
    let (next, position) = try home.open(2)
    #expect(position == old.lastPosition)
    try next.write(after: position, rows: SampleRows.batch(10..<15))
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<15)))
  }

  @Test(arguments: SinkUnderTest.guarded)
  func `a backup put back under a running process stops it before it writes`(
    _ kind: SinkUnderTest
  ) throws {
    let home = kind.makeHome()
    let (sink, _) = try home.open(1)
    try sink.write(after: nil, rows: SampleRows.batch(0..<10))
    try home.backUp()
    let held = SampleRows.batch(10..<20).lastPosition
    try sink.write(after: SampleRows.batch(0..<10).lastPosition, rows: SampleRows.batch(10..<20))
    try home.restore()
    let error = failure { () throws(SinkError) in
      try sink.write(after: held, rows: SampleRows.batch(20..<30))
    }
    #expect(error?.kind == "moved")
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<10)))
  }

  @Test(arguments: SinkUnderTest.all)
  func `a table that is out of reach is waited for and not made again`(
    _ kind: SinkUnderTest
  ) throws {
    let home = kind.makeHome()
    let (sink, _) = try home.open(1)
    let rows = SampleRows.batch(0..<10)
    try sink.write(after: nil, rows: rows)
    sink.close()
    try home.backUp()
    home.delete()
    func openAgain() throws(SinkError) -> RowPosition? {
      try sink.open(
        identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .again, adopt: false)
    }
    let error = failure { () throws(SinkError) in _ = try openAgain() }
    #expect(error?.kind == "unavailable")
    try home.restore()
    #expect(try openAgain() == home.told(rows.lastPosition))
  }

  @Test(arguments: SinkUnderTest.fenced)
  func `processes that race for a table never double or lose a row`(_ kind: SinkUnderTest) throws {
    let home = kind.makeHome()
    let batches = (0..<home.raceBatches).map { SampleRows.batch($0 * 5..<$0 * 5 + 5) }
    let positions = batches.map { $0.lastPosition }
    let surprises = Monitor<[String]>([])
    let racers = try (1...3).map { number in
      try WorkerThread("racer") {
        for attempt in 0..<10_000 {
          let sink = home.makeSink()
          let owner = OwnerID(
            random: [UInt8](repeating: 0, count: 14) + [
              UInt8(number), UInt8(truncatingIfNeeded: attempt),
            ])
          let error = failure { () throws(SinkError) in
            let held = try sink.open(
              identity: SampleRows.identity, owner: owner, claim: .first, adopt: false)
            let next = held.map { (positions.firstIndex(of: $0) ?? -2) + 1 } ?? 0
            if next < batches.count { try sink.write(after: held, rows: batches[next]) }
          }
          if error == nil, (try? home.lines().count) == home.raceBatches * 5 { return }
          let isExpected =
            error?.kind == "takenOver" || !kind.isClaimedAtOnce && error?.kind == "unavailable"
          if let error, !isExpected { surprises.change { $0.append("\(error)") } }
        }
      }
    }
    for racer in racers { racer.join() }
    #expect(surprises.read { $0 } == [])
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<home.raceBatches * 5)))
  }
}

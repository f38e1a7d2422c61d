import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// The two duties of a sink, as every sink must do them.
@Suite struct ConformanceTests {
  @Test(arguments: SinkUnderTest.all)
  func `a new sink holds nothing`(_ kind: SinkUnderTest) throws {
    let home = kind.makeHome()
    let (_, position) = try home.open()
    #expect(position == nil)
    #expect(try home.lines().isEmpty)
  }

  @Test(arguments: SinkUnderTest.all)
  func `what was written is there with its position after a reopening`(_ kind: SinkUnderTest) throws
  {
    let home = kind.makeHome()
    let (sink, _) = try home.open()
    let first = SampleRows.batch(0..<10)
    let second = SampleRows.batch(10..<11)
    try sink.write(after: nil, rows: first)
    try sink.write(after: first.lastPosition, rows: second)
    sink.close()
    let (_, position) = try home.open(2)
    #expect(position == home.told(second.lastPosition))
    #expect(try home.lines() == SampleRows.lines(first, second))
  }

  @Test(arguments: SinkUnderTest.all)
  func `rows are durable without a closing`(_ kind: SinkUnderTest) throws {
    let home = kind.makeHome()
    let (sink, _) = try home.open()
    let rows = SampleRows.batch(0..<10)
    try sink.write(after: nil, rows: rows)
    let (_, position) = try home.open(2)
    #expect(position == home.told(rows.lastPosition))
    #expect(try home.lines() == SampleRows.lines(rows))
  }

  @Test(arguments: SinkUnderTest.all)
  func `an acknowledgement lost in a crash doubles nothing whatever the next bounds`(
    _ kind: SinkUnderTest
  ) throws {
    let home = kind.makeHome()
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: SampleRows.batch(0..<7))
    // The process dies here; the next one asks, and goes on behind what it hears.
    let (next, position) = try home.open(2)
    #expect(position == home.told(SampleRows.batch(0..<7).lastPosition))
    try next.write(after: position, rows: SampleRows.batch((position == nil ? 0 : 7)..<30))
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<30)))
  }

  @Test(arguments: SinkUnderTest.all)
  func `the bounds of batches leave no trace in the table`(_ kind: SinkUnderTest) throws {
    var exports: [[UInt8]] = []
    for size in [1, 7, 50] {
      let home = kind.makeHome()
      let (sink, _) = try home.open()
      var held: RowPosition?
      for start in stride(from: 0, to: 50, by: size) {
        let rows = SampleRows.batch(start..<min(50, start + size))
        try sink.write(after: held, rows: rows)
        held = rows.lastPosition
      }
      exports.append(try home.export())
    }
    #expect(exports[0] == exports[1])
    #expect(exports[0] == exports[2])
    #expect(TableExport.lines(exports[0]).count == 50)
  }

  @Test(arguments: SinkUnderTest.all)
  func `another position than the one held is refused and nothing written`(
    _ kind: SinkUnderTest
  ) throws {
    let home = kind.makeHome()
    let held = SampleRows.batch(0..<10)
    for wrong in [nil, SampleRows.batch(0..<9).lastPosition, SampleRows.batch(0..<11).lastPosition]
    {
      let (sink, position) = try home.open()
      if position == nil { try sink.write(after: nil, rows: held) }
      let error = failure { () throws(SinkError) in
        try sink.write(after: wrong, rows: SampleRows.batch(20..<30))
      }
      #expect(error?.kind == "moved")
      #expect(error?.description.contains("\(held.lastPosition!)") == true)
      #expect(try home.lines() == SampleRows.lines(held))
    }
    #expect(try home.open().1 == home.told(held.lastPosition))
  }

  @Test(arguments: SinkUnderTest.all)
  func `after a failure nothing is written until the sink is opened again`(
    _ kind: SinkUnderTest
  ) throws {
    let home = kind.makeHome()
    let (sink, _) = try home.open()
    let wrong = SampleRows.batch(0..<1).lastPosition
    let rows = SampleRows.batch(5..<6)
    #expect(failure { () throws(SinkError) in try sink.write(after: wrong, rows: rows) } != nil)
    let latched = failure { () throws(SinkError) in try sink.write(after: nil, rows: rows) }
    #expect(latched?.kind == "unavailable")
    let position = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .again, adopt: false)
    try sink.write(after: position, rows: rows)
    #expect(try home.lines() == SampleRows.lines(rows))
  }

  @Test(arguments: SinkUnderTest.all)
  func `a hundred thousand rows arrive in order`(_ kind: SinkUnderTest) throws {
    let home = kind.makeHome()
    let (sink, _) = try home.open()
    var held: RowPosition?
    var expected: [String] = []
    for start in stride(from: 0, to: 100_000, by: 10_000) {
      let rows = SampleRows.batch(start..<start + 10_000)
      try sink.write(after: held, rows: rows)
      held = rows.lastPosition
      expected += SampleRows.lines(rows)
    }
    #expect(try home.open(2).1 == home.told(held))
    let lines = try home.lines()
    #expect(lines.count == 100_000)
    #expect(lines == expected)
  }

  @Test(arguments: SinkUnderTest.all)
  func `every text, time and count that a row may hold comes back`(_ kind: SinkUnderTest) throws {
    let home = kind.makeHome()
    let rows = ExtremeRows.batch
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: rows)
    let expected = SampleRows.lines(rows).map {
      home.holdsNull ? $0 : $0.replacing("\\u0000", with: "\u{FFFD}")
    }
    #expect(try home.lines().map { Array($0.utf8) } == expected.map { Array($0.utf8) })
    #expect(try home.open(2).1 == home.told(rows.lastPosition))
  }
}

import Glibc
import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// What strikes a commit to an Iceberg table: the helper's death, expired and rolled-back snapshots.
@Suite(
  .enabled(if: !IcebergWarehouse.isMissing, Comment(rawValue: IcebergWarehouse.skipMessage)))
struct IcebergFaultTests {
  private let first = SampleRows.batch(0..<10)
  private let second = SampleRows.batch(10..<30)

  private func openAgain(_ sink: any Sink) throws(SinkError) -> RowPosition? {
    try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .again, adopt: false)
  }

  /// As a delivery does: again where the helper died in between.
  private func reopen(_ sink: any Sink) throws(SinkError) -> RowPosition? {
    do throws(SinkError) {
      return try openAgain(sink)
    } catch .unavailable {
      return try openAgain(sink)
    }
  }

  /// Writes the second batch behind what the table says it holds, until it does.
  private func writeSecond(_ sink: any Sink, _ held: RowPosition?) throws(SinkError) {
    if held == first.lastPosition { try sink.write(after: held, rows: second) }
  }

  @Test func `a helper killed at any file of a commit leaves all of it or nothing`() throws {
    let helper = IcebergHome.makeHelper()
    var committed = 0
    // A commit writes a data file, a manifest, a list of manifests and metadata, then the catalog.
    for files in 1...5 {
      let home = IcebergHome()
      let sink = home.makeSink(helper)
      _ = try sink.open(
        identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: false)
      try sink.write(after: nil, rows: first)
      let victim = try #require(helper.processIdentifier)
      let before = try home.metadataLocation()
      let strikes = try home.fileCount() + files
      let isOver = Monitor(false)
      let killer = try WorkerThread("killer") {
        while !isOver.read({ $0 }) {
          let isCommitted = (try? home.metadataLocation()) != before
          if files == 5 ? isCommitted : (try? home.fileCount()) ?? 0 >= strikes { break }
        }
        kill(victim, SIGKILL)
      }
      let error = failure { () throws(SinkError) in
        try sink.write(after: first.lastPosition, rows: second)
      }
      isOver.change { $0 = true }
      killer.join()
      if let error { #expect(error.kind == "unavailable", "\(error)") }
      let held = try reopen(sink)
      #expect(held == first.lastPosition || held == second.lastPosition)
      committed += held == second.lastPosition ? 1 : 0
      try writeSecond(sink, held)
      #expect(try home.lines() == SampleRows.lines(first, second))
    }
    #expect(committed < 5, "no helper died before its commit")
  }

  @Test func `a helper that hangs is given up and started again`() throws {
    let home = IcebergHome()
    let helper = IcebergHome.makeHelper(answerLimit: 3 * .perSecond)
    let sink = home.makeSink(helper)
    _ = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: false)
    try sink.write(after: nil, rows: first)
    let victim = try #require(helper.processIdentifier)
    kill(victim, SIGSTOP)
    let error = failure { () throws(SinkError) in
      try sink.write(after: first.lastPosition, rows: second)
    }
    #expect(error?.kind == "unavailable")
    #expect(
      error?.description.contains("no answer for 3 s") == true, "\(String(describing: error))")
    #expect(kill(victim, 0) != 0, "the one that hung is gone")
    try writeSecond(sink, try openAgain(sink))
    #expect(try home.lines() == SampleRows.lines(first, second))
  }

  @Test func `the position outlives the snapshots that kept it`() throws {
    let home = IcebergHome()
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: first)
    let left = try home.run(
      """
      t = catalog.load_table(name)
      t.append(t.scan().to_arrow().slice(0, 0))
      head = t.current_snapshot().snapshot_id
      ids = [s.snapshot_id for s in t.snapshots() if s.snapshot_id != head]
      t.maintenance.expire_snapshots().by_ids(ids).commit()
      print(len(catalog.load_table(name).snapshots()), end="")
      """)
    #expect(left == "1")
    #expect(try home.open(2).1 == first.lastPosition)
  }

  @Test func `a table rolled back to an older snapshot says that one's position`() throws {
    let home = IcebergHome()
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: first)
    try home.run("head = catalog.load_table(name).current_snapshot().snapshot_id")
    try sink.write(after: first.lastPosition, rows: second)
    sink.close()
    try home.run("catalog.load_table(name).manage_snapshots().rollback_to_snapshot(head).commit()")
    let (next, position) = try home.open(2)
    #expect(position == first.lastPosition)
    try next.write(after: position, rows: second)
    #expect(try home.lines() == SampleRows.lines(first, second))
  }

  @Test func `old snapshots are forgotten where the table says so, and no row with them`() throws {
    let home = IcebergHome()
    let (sink, _) = try home.open()
    var held: RowPosition?
    for number in 0..<8 {
      if number == 2 {
        try home.run(
          """
          with catalog.load_table(name).transaction() as t:
              t.set_properties({"sojourn.keep-snapshots": "2"})
          """)
      }
      let rows = SampleRows.batch(number..<number + 1)
      try sink.write(after: held, rows: rows)
      held = rows.lastPosition
    }
    let kept = try home.run("print(len(catalog.load_table(name).snapshots()), end='')")
    #expect(try #require(Int(kept)) <= 4)
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<8)))
    #expect(try home.open(2).1 == held)
  }
}

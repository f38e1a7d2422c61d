import Glibc
import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// What strikes a commit to an Iceberg table: the helper's death, other writers, expired and
/// rolled-back snapshots.
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

  @Test func `another writer's commit in between is kept, and ours is made again on top`() throws {
    let home = IcebergHome()
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: first)
    // As a user's correction of old rows, or a compaction.
    try home.run("t = catalog.load_table(name); t.append(t.scan().to_arrow().slice(0, 0))")
    try home.run("t = catalog.load_table(name); t.append(t.scan().to_arrow().slice(9, 1))")
    try sink.write(after: first.lastPosition, rows: second)
    #expect(try home.lines().count == 31)
    #expect(Set(try home.lines()) == Set(SampleRows.lines(first, second)))
    #expect(try home.open(2).1 == second.lastPosition)
  }

  @Test func `a writer that dies between loading and committing blocks nobody`() throws {
    let home = IcebergHome()
    let (sink, _) = try home.open()
    // Prepared on the head that it saw, committed after ours: the catalog refuses it.
    try home.run(
      """
      t = catalog.load_table(name)
      late = t.transaction()
      late.append(t.scan().to_arrow())
      """)
    try sink.write(after: nil, rows: first)
    let late = try home.run(
      """
      from pyiceberg.exceptions import CommitFailedException
      late._table.metadata.properties["commit.retry.num-retries"] = "0"
      try:
          late.commit_transaction()
          print("committed", end="")
      except CommitFailedException:
          print("refused", end="")
      """)
    #expect(late == "refused")
    #expect(try home.lines() == SampleRows.lines(first))
  }

  @Test func `a claim between another process's look and its commit stops that commit`() throws {
    let home = IcebergHome()
    let (old, _) = try home.open(1)
    try old.write(after: nil, rows: first)
    let (new, held) = try home.open(2)
    let refused = failure { () throws(SinkError) in
      try old.write(after: first.lastPosition, rows: second)
    }
    #expect(refused?.kind == "takenOver")
    try new.write(after: held, rows: second)
    #expect(try home.lines() == SampleRows.lines(first, second))
  }

  @Test func `a table that changes between two writes is checked again`() throws {
    let home = IcebergHome()
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: first)
    // A commit of its own, which the sink's next one meets.
    try home.run(
      """
      t = catalog.load_table(name)
      with t.update_schema(allow_incompatible_changes=True) as u:
          u.delete_column('city')
      t.append(t.scan().to_arrow().slice(0, 0))
      """)
    let error = failure { () throws(SinkError) in
      try sink.write(after: first.lastPosition, rows: second)
    }
    #expect(error?.kind == "unsuitable", "\(String(describing: error))")
    #expect(error?.description.contains("column city is missing") == true)
  }

  @Test func `a table made anew under a running process stops it`() throws {
    let home = IcebergHome()
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: first)
    try home.run(
      """
      made = catalog.load_table(name)
      catalog.drop_table(name)
      catalog.create_table(name, made.schema(), partition_spec=made.spec())
      """)
    let error = failure { () throws(SinkError) in
      try sink.write(after: first.lastPosition, rows: second)
    }
    #expect(error?.kind == "moved", "\(String(describing: error))")
    let again = failure { () throws(SinkError) in _ = try openAgain(sink) }
    #expect(again?.kind == "moved", "\(String(describing: again))")
    #expect(try home.lines() == [])
  }

  @Test func `a claim while a commit is under way stops that commit`() throws {
    let home = IcebergHome()
    let directory = TemporaryDirectory()
    // Another process claims the table when the helper has all but committed.
    let python = DisobedientPython(
      patch: """
        committing = names["Transaction"].commit_transaction

        def overtaken(self):
            try:
                os.remove("\(directory.path)/claim")
            except FileNotFoundError:
                return committing(self)
            other = names["load_catalog"]("\(IcebergWarehouse.catalog)").load_table("\(home.table)")
            entry = dict(zip(names["ENTRY_KEYS"], names["entry_of"](other)))
            entry["sojourn.owner"] = "another"
            with other.transaction() as claim:
                claim.set_properties(entry)
                claim.append(other.scan().to_arrow().slice(0, 0), snapshot_properties=entry)
            return committing(self)

        names["Transaction"].commit_transaction = overtaken
        """)
    let sink = home.makeSink(python.makeHelper())
    _ = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: false)
    try sink.write(after: nil, rows: first)
    try Files.replace(directory.path + "/claim", with: [])
    let error = failure { () throws(SinkError) in
      try sink.write(after: first.lastPosition, rows: second)
    }
    #expect(error?.kind == "takenOver", "\(String(describing: error))")
    #expect(error?.description.contains("process another") == true)
    #expect(try home.lines() == SampleRows.lines(first))
  }

  @Test func `a commit is made anew twenty times, and then later`() throws {
    let home = IcebergHome()
    let python = DisobedientPython(
      patch: """
        append = names["append"]
        asked = []

        def crowded(*arguments):
            asked.append(1)
            # The claim, and the first write.
            if 2 < len(asked) <= 22:
                return iter([[b"conflict"]])
            return append(*arguments)

        names["REQUESTS"]["append"] = crowded
        """)
    let sink = home.makeSink(python.makeHelper())
    _ = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: false)
    try sink.write(after: nil, rows: first)
    let error = failure { () throws(SinkError) in
      try sink.write(after: first.lastPosition, rows: second)
    }
    #expect(error?.kind == "unavailable", "\(String(describing: error))")
    #expect(error?.description.contains("20 times in a row") == true)
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

import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// Others who commit to an Iceberg table, or change it, between a look of the sink's and its commit.
@Suite(
  .enabled(if: !IcebergWarehouse.isMissing, Comment(rawValue: IcebergWarehouse.skipMessage)))
struct IcebergConflictTests {
  private let first = SampleRows.batch(0..<10)
  private let second = SampleRows.batch(10..<30)

  private func openAgain(_ sink: any Sink) throws(SinkError) -> RowPosition? {
    try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .again, adopt: false)
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
    #expect(try openAgain(sink) == first.lastPosition)
    try sink.write(after: first.lastPosition, rows: second)
    #expect(try home.lines() == SampleRows.lines(first, second))
  }
}

import CSQLite
import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// What only the SQLite sink can meet.
@Suite struct SQLiteSinkTests {
  let home = SQLiteHome()

  private func openFailure(_ sink: any Sink, adopt: Bool = false) -> SinkError? {
    failure { () throws(SinkError) in
      _ = try sink.open(
        identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: adopt)
    }
  }

  @Test func `a lock held by another program is waited for within a bound and changes nothing`()
    throws
  {
    let sink = SQLiteSink(path: home.path, table: .sessions, busyTimeoutMilliseconds: 50)
    _ = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: false)
    let other = try SQLiteFile(home.path)
    try other.run("BEGIN IMMEDIATE")
    let began = Clock.monotonic
    let error = failure { () throws(SinkError) in
      try sink.write(after: nil, rows: SampleRows.batch(0..<10))
    }
    #expect(error?.kind == "unavailable")
    #expect(error?.description.contains(home.path) == true)
    #expect(Clock.monotonic - began >= 45_000)
    try other.run("ROLLBACK")
    let position = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .again, adopt: false)
    #expect(position == nil)
    try sink.write(after: nil, rows: SampleRows.batch(0..<10))
    #expect(try home.lines().count == 10)
  }

  @Test func `a reader that holds a snapshot does not hold back the sink`() throws {
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: SampleRows.batch(0..<5))
    let reader = try SQLiteFile(home.path)
    try reader.run("BEGIN")
    #expect(try reader.rows("SELECT count(*) FROM sessions") == [["5"]])
    try sink.write(
      after: SampleRows.batch(0..<5).lastPosition, rows: SampleRows.batch(5..<9))
    #expect(try reader.rows("SELECT count(*) FROM sessions") == [["5"]])
    #expect(try home.lines().count == 9)
  }

  @Test(arguments: [
    ("ALTER TABLE sessions DROP COLUMN exit_url", "column exit_url is missing"),
    ("user_id TEXT|user_id INTEGER", "column user_id has the type INTEGER"),
    ("session_end TEXT|session_end INTEGER", "column session_end has the type INTEGER"),
    ("event_count INTEGER|event_count TEXT", "column event_count has the type TEXT"),
    ("duration_ms INTEGER|duration_ms REAL", "column duration_ms has the type REAL"),
    ("host TEXT|host TEXT NOT NULL", "column host is NOT NULL"),
    ("TEXT NOT NULL PRIMARY KEY|TEXT NOT NULL", "session_id has no unique key"),
    ("ALTER TABLE sessions ADD COLUMN note TEXT NOT NULL DEFAULT ''", nil),
    ("ALTER TABLE sessions ADD COLUMN note TEXT", nil),
    ("city TEXT|city TEXT, note TEXT NOT NULL", "further column note is NOT NULL"),
    ("session_start TEXT|session_start TIMESTAMP", nil),
    ("session_date TEXT|session_date DATE", nil),
    ("TEXT NOT NULL PRIMARY KEY|TEXT UNIQUE", nil),
    ("city TEXT|city TEXT GENERATED ALWAYS AS (host)", "column city is generated"),
  ])
  func `a table that is there is checked column by column`(_ change: String, _ fault: String?)
    throws
  {
    let parts = change.split(separator: "|").map { String($0) }
    let ddl = SinkDDL.text(dialect: .sqlite, table: .sessions)
    if parts.count == 2 {
      let pieces = ddl.split(separator: parts[0])
      try #require(pieces.count == 2, "the replaced text occurs once")
      try home.run(pieces.joined(separator: parts[1]))
    } else {
      try home.run(ddl)
      try home.run(change)
    }
    let sink = home.makeSink()
    let error = openFailure(sink)
    #expect(error?.kind == fault.map { _ in "unsuitable" })
    if let fault {
      #expect(error?.description.contains(fault) == true, "\(String(describing: error))")
      let owners = try SQLiteFile(home.path).rows("SELECT owner FROM sojourn_sinks")
      #expect(owners.isEmpty)
    } else {
      try sink.write(after: nil, rows: ExtremeRows.batch)
      #expect(try home.lines() == SampleRows.lines(ExtremeRows.batch))
    }
  }

  @Test func `a view of that name is refused`() throws {
    try home.run("CREATE VIEW sessions AS SELECT 1 AS session_id")
    #expect(openFailure(home.makeSink(), adopt: true)?.kind == "unsuitable")
  }

  @Test func `a file that is no database is refused and left alone`() throws {
    let text = Array("These are the notes of last summer, and not a database at all.\n".utf8)
    try Files.replace(home.path, with: text)
    #expect(openFailure(home.makeSink())?.kind == "unsuitable")
    #expect(try Files.read(home.path) == text)
  }

  @Test func `a missing directory is not made but waited for`() throws {
    let path = home.directory.path + "/not/there.db"
    let error = openFailure(SQLiteSink(path: path, table: .sessions))
    #expect(error?.kind == "unavailable")
    #expect(error?.description.contains(path) == true)
    #expect(!Files.exists(home.directory.path + "/not"))
  }

  @Test func `a row that the table refuses leaves none of its batch`() throws {
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: SampleRows.batch(0..<3))
    try home.run(
      """
      CREATE TRIGGER picky BEFORE INSERT ON sessions WHEN NEW.user_id = '7'
      BEGIN SELECT RAISE(ABORT, 'not this one'); END
      """)
    let error = failure { () throws(SinkError) in
      try sink.write(
        after: SampleRows.batch(0..<3).lastPosition, rows: SampleRows.batch(3..<20))
    }
    #expect(error?.kind == "unsuitable")
    #expect(error?.description.contains("not this one") == true)
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<3)))
    #expect(try home.open().1 == SampleRows.batch(0..<3).lastPosition)
  }

  @Test func `a row that is there already takes the values of the one delivered`() throws {
    let (sink, _) = try home.open()
    let rows = SampleRows.batch(0..<5)
    try sink.write(after: nil, rows: rows)
    sink.close()
    // An adopted table: it holds rows, but says no position.
    try home.run("UPDATE sojourn_sinks SET position = NULL")
    try home.run("UPDATE sessions SET host = 'elsewhere' WHERE user_id = '3'")
    let (next, position) = try home.open()
    #expect(position == nil)
    try next.write(after: nil, rows: rows)
    #expect(try home.lines() == SampleRows.lines(rows))
  }

  @Test func `several jobs keep several tables in one file`() throws {
    let other = SQLiteSink(path: home.path, table: try TableName(parsing: "shop_sessions"))
    let (sink, _) = try home.open()
    _ = try other.open(
      identity: SampleRows.otherJob, owner: SampleRows.owner(2), claim: .first, adopt: false)
    try sink.write(after: nil, rows: SampleRows.batch(0..<10))
    try other.write(after: nil, rows: SampleRows.batch(0..<4))
    #expect(try home.lines().count == 10)
    #expect(TableExport.lines(try TableExport.sqlite(home.path, table: "shop_sessions")).count == 4)
    let sameTable = SQLiteSink(path: home.path, table: try TableName(parsing: "SHOP_sessions"))
    #expect(openFailure(sameTable)?.kind == "foreign")
  }

  @Test func `a table that was dropped although it held rows is not made again`() throws {
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: SampleRows.batch(0..<10))
    sink.close()
    try home.run("DROP TABLE sessions")
    #expect(openFailure(home.makeSink())?.kind == "unsuitable")
  }

  @Test func `rows that users deleted do not come back`() throws {
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: SampleRows.batch(0..<10))
    try home.run("DELETE FROM sessions")
    try sink.write(
      after: SampleRows.batch(0..<10).lastPosition, rows: SampleRows.batch(10..<12))
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(10..<12)))
  }

  @Test func `SQLite's date functions read the times`() throws {
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: SampleRows.batch(0..<1))
    let answer = try SQLiteFile(home.path).rows(
      """
      SELECT unixepoch(session_end) * 1000000, strftime('%H:%M', session_end),
        date(session_start) = session_date FROM sessions
      """)
    #expect(answer == [["\(SampleRows.firstEnd)", "10:05", "1"]])
  }

  @Test(arguments: [
    (SQLITE_BUSY, "unavailable"), (SQLITE_BUSY | 2 << 8, "unavailable"),
    (SQLITE_LOCKED, "unavailable"), (SQLITE_FULL, "unavailable"), (SQLITE_IOERR, "unavailable"),
    (SQLITE_IOERR | 4 << 8, "unavailable"), (SQLITE_CANTOPEN, "unavailable"),
    (SQLITE_READONLY, "unavailable"), (SQLITE_READONLY | 4 << 8, "moved"),
    (SQLITE_NOMEM, "unavailable"), (SQLITE_CORRUPT, "unsuitable"), (SQLITE_NOTADB, "unsuitable"),
    (SQLITE_CONSTRAINT | 5 << 8, "unsuitable"), (SQLITE_ERROR, "unsuitable"),
    (SQLITE_TOOBIG, "unsuitable"),
  ])
  func `each failure of SQLite says whether waiting may help`(_ code: Int32, _ kind: String) {
    let error = SinkError(sqlite: code, message: "said so", path: "/data/sessions.db")
    #expect(error.kind == kind)
    #expect(error.description.contains("/data/sessions.db"))
  }
}

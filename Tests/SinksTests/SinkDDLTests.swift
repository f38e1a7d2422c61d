import SessionModel
import Sinks
import TestSupport
import Testing

@Suite struct SinkDDLTests {
  @Test(arguments: [
    (
      SinkDDL.Dialect.sqlite,
      ["session_id TEXT NOT NULL PRIMARY KEY", "is_logged_in BOOLEAN NOT NULL"]
    ),
    (
      .postgres,
      ["session_start timestamptz NOT NULL", "event_count bigint NOT NULL", "city text\n"]
    ),
    (
      .spark,
      [
        "CREATE TABLE `visits`", "USING iceberg", "PARTITIONED BY (session_date)",
        "user_id STRING,",
      ]
    ),
    (
      .trino,
      [
        "partitioning = ARRAY['session_date']", "session_end timestamp(6) with time zone NOT NULL",
        "user_id varchar,",
      ]
    ),
  ])
  func `each dialect has its own types and clauses`(_ dialect: SinkDDL.Dialect, _ parts: [String])
    throws
  {
    let text = SinkDDL.text(dialect: dialect, table: try TableName(parsing: "visits"))
    for part in parts { #expect(text.contains(part), "\(part) in \(text)") }
  }

  @Test(arguments: SinkDDL.Dialect.allCases)
  func `every column stands in the table's order`(_ dialect: SinkDDL.Dialect) {
    let lines = SinkDDL.text(dialect: dialect, table: .sessions).split(separator: "\n")
    let names = lines.compactMap { line in
      SessionSchema.standard.columns.first { line.hasPrefix("  \($0.name) ") }
    }
    #expect(names == SessionSchema.standard.columns)
  }

  @Test func `the SQLite sink makes exactly what is printed`() throws {
    let made = SQLiteHome()
    _ = try made.open()
    let printed = SQLiteHome()
    try printed.run(SinkDDL.text(dialect: .sqlite, table: .sessions))
    let schema = "SELECT type, name, sql FROM sqlite_schema ORDER BY name"
    let tables = try SQLiteFile(made.path).rows(schema)
    #expect(tables == (try SQLiteFile(printed.path).rows(schema)))
    #expect(tables.contains { $0[1] == "sessions" } && tables.contains { $0[1] == "sojourn_sinks" })
  }

  @Test func `the SQLite sink takes the tables that were made from what is printed`() throws {
    let home = SQLiteHome()
    try home.run(SinkDDL.text(dialect: .sqlite, table: .sessions))
    let (sink, position) = try home.open()
    #expect(position == nil)
    try sink.write(after: nil, rows: SampleRows.batch(0..<3))
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<3)))
  }

  @Test(.enabled(if: !PostgresServer.isMissing, Comment(rawValue: PostgresServer.skipMessage)))
  func `the PostgreSQL sink makes what is printed, and takes it where it was made beforehand`()
    throws
  {
    let made = PostgresHome()
    _ = try made.open()
    let printed = PostgresHome()
    try printed.run(SinkDDL.text(dialect: .postgres, table: .sessions))
    let columns = """
      SELECT table_name, column_name, data_type, is_nullable, indisprimary
      FROM information_schema.columns LEFT JOIN pg_index
        ON indrelid = table_name::regclass AND ordinal_position = ANY (indkey)
      WHERE table_schema = 'public' ORDER BY table_name, ordinal_position
      """
    let tables = try PostgresClient(made.uri).rows(columns)
    #expect(tables == (try PostgresClient(printed.uri).rows(columns)))
    #expect(Set(tables.map { $0[0] }) == ["sessions", "sojourn_sinks"])
    let (sink, position) = try printed.open()
    #expect(position == nil)
    try sink.write(after: nil, rows: SampleRows.batch(0..<3))
    #expect(try printed.lines() == SampleRows.lines(SampleRows.batch(0..<3)))
  }

  @Test func `a word of SQL can be a table's name`() throws {
    let home = SQLiteHome()
    let sink = SQLiteSink(path: home.path, table: try TableName(parsing: "Select"))
    _ = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: false)
    try sink.write(after: nil, rows: SampleRows.batch(0..<3))
    #expect(TableExport.lines(try TableExport.sqlite(home.path, table: "select")).count == 3)
  }
}

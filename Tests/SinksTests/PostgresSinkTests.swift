import Glibc
import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// What only the PostgreSQL sink can meet.
@Suite(.enabled(if: !PostgresServer.isMissing, Comment(rawValue: PostgresServer.skipMessage)))
struct PostgresSinkTests {
  let home = PostgresHome()

  private func openFailure(_ uri: String, adopt: Bool = false) -> SinkError? {
    failure { () throws(SinkError) in
      _ = try home.makeSink(uri).open(
        identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: adopt)
    }
  }

  /// The address of this home's database with more settings.
  private func uri(_ settings: String, user: String = "sojourn") -> String {
    home.uri.replacing("user=sojourn", with: "user=\(user)") + settings
  }

  private static let hasNoDisk =
    HeldDisk.whyNot ?? (geteuid() == 0 ? nil : "a server of another user needs root")

  @Test(.enabled(if: hasNoDisk == nil, Comment(rawValue: hasNoDisk ?? "")))
  func `a server whose disk is full takes nothing, keeps what it has, and goes on with room`()
    throws
  {
    let disk = try HeldDisk(bytes: 64 << 20)
    let server = PostgresServer(entering: disk.entering)
    server.start()
    defer { server.stop(SIGQUIT) }
    try Files.makeDirectory(disk.path + "/tables", mode: 0o755)
    for directory in [disk.directory, disk.path + "/tables"] { PostgresServer.hand(directory) }
    let home = PostgresHome(server, in: disk.mountPoint + "/tables")
    let (sink, _) = try home.open()
    let first = SampleRows.batch(0..<100)
    try sink.write(after: nil, rows: first)
    try disk.fill(leaving: 0)
    let more = SampleRows.batch(100..<20_000)
    let error = failure { () throws(SinkError) in
      try sink.write(after: first.lastPosition, rows: more)
    }
    #expect(error?.kind == "unavailable", "\(String(describing: error))")
    #expect(error?.description.contains("53100") == true, "\(String(describing: error))")
    #expect(try home.lines() == SampleRows.lines(first))
    try disk.clear()
    let held = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .again, adopt: false)
    #expect(held == first.lastPosition)
    try sink.write(after: held, rows: more)
    #expect(try home.lines().count == 20_000)
  }

  @Test func `a lock held by another client is waited for within a bound and changes nothing`()
    throws
  {
    try home.open().0.write(after: nil, rows: SampleRows.batch(0..<1))
    let sink = PostgresSink(
      address: try PostgresAddress(uri: home.uri), table: .sessions, lockTimeoutMilliseconds: 50)
    let held = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(2), claim: .first, adopt: false)
    for lock in ["SELECT * FROM sojourn_sinks FOR UPDATE", "LOCK TABLE sessions"] {
      let other = try PostgresClient(home.uri)
      try other.run("BEGIN")
      try other.run(lock)
      let error = failure { () throws(SinkError) in
        try sink.write(after: held, rows: SampleRows.batch(1..<10))
      }
      #expect(error?.kind == "unavailable", "\(lock)")
      #expect(error?.description.contains("55P03") == true)
      try other.run("ROLLBACK")
      let position = try sink.open(
        identity: SampleRows.identity, owner: SampleRows.owner(2), claim: .again, adopt: false)
      #expect(position == held)
    }
    try sink.write(after: held, rows: SampleRows.batch(1..<10))
    #expect(try home.lines().count == 10)
  }

  @Test func `a server that is killed again and again keeps each row once`() throws {
    let server = PostgresServer()
    server.start()
    defer { server.stop(SIGQUIT) }
    let home = PostgresHome(server)
    let rows = try home.write {
      server.stop(SIGKILL)
      server.start()
    }
    #expect(try home.lines() == SampleRows.lines(rows))
  }

  @Test(arguments: [
    ("ALTER TABLE sessions DROP COLUMN exit_url", "column exit_url is missing"),
    ("ALTER TABLE sessions ALTER user_id TYPE integer USING 1", "user_id has the type integer"),
    (
      "ALTER TABLE sessions ALTER session_end TYPE timestamp(0) with time zone",
      "session_end has the type timestamp(0)"
    ),
    ("ALTER TABLE sessions ALTER host TYPE varchar(10)", "host has the type character varying(10)"),
    ("ALTER TABLE sessions ALTER event_count TYPE integer", "event_count has the type integer"),
    ("ALTER TABLE sessions ALTER host SET NOT NULL", "column host is NOT NULL"),
    ("ALTER TABLE sessions DROP CONSTRAINT sessions_pkey", "session_id has no unique key"),
    ("ALTER TABLE sessions ADD team integer NOT NULL", "column team is NOT NULL"),
    ("ALTER TABLE sessions RENAME TO s; CREATE VIEW sessions AS SELECT * FROM s", "a view"),
  ])
  func `a table that cannot take the rows is refused before anything is written`(
    change: String, fault: String
  ) throws {
    _ = try home.open()
    try home.run(change)
    let error = openFailure(home.uri)
    #expect(error?.kind == "unsuitable")
    #expect(error?.description.contains(fault) == true, "\(error?.description ?? "none")")
  }

  @Test func `a database without table and line is told from one that holds either`() throws {
    let sink = home.makeSink()
    #expect(sink.isMissing)
    try home.open().0.write(after: nil, rows: SampleRows.batch(0..<1))
    #expect(!sink.isMissing)
    try home.run("DROP TABLE sessions")
    #expect(!sink.isMissing)
    try home.run("DELETE FROM sojourn_sinks")
    #expect(sink.isMissing)
    // One that does not answer may hold them.
    home.delete()
    #expect(!sink.isMissing)
    try home.allowConnections(true)
  }

  @Test func `a table that has more, or other types that hold the values, is taken`() throws {
    _ = try home.open()
    try home.run(
      """
      ALTER TABLE sessions ADD team text, ADD seen timestamptz NOT NULL DEFAULT now(),
        ALTER event_count TYPE numeric, ALTER host TYPE varchar
      """)
    try home.open(2).0.write(after: nil, rows: SampleRows.batch(0..<3))
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<3)))
  }

  @Test func `a user without the rights, or with a wrong password, is refused as such`() throws {
    let role = "reader_\(home.database)"
    try home.run("CREATE ROLE \(role) LOGIN")
    #expect(openFailure(uri("", user: role))?.kind == "authentication")
    try home.run(
      """
      DO $$ BEGIN CREATE ROLE \(PostgresServer.guardedRole) LOGIN SUPERUSER PASSWORD 'right';
      EXCEPTION WHEN duplicate_object THEN NULL; END $$
      """)
    let directory = TemporaryDirectory()
    for (password, kind) in [("right", nil), ("guessed", "authentication")] as [(String, String?)] {
      let file = directory.path + "/\(password.count)"
      try Files.replace(file, with: Array("*:*:*:*:\(password)\n".utf8))
      chmod(file, 0o600)
      let error = openFailure(uri("&passfile=\(file)", user: PostgresServer.guardedRole))
      #expect(error?.kind == kind, "\(error?.description ?? "none")")
      #expect(error?.description.contains("guessed") != true)
    }
  }

  @Test func `a database that is not there, or not UTF-8, is refused`() throws {
    #expect(openFailure(home.server.uri("nowhere"))?.kind == "unsuitable")
    try PostgresClient(home.server.uri("postgres")).run(
      "CREATE DATABASE latin_\(home.database) ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    let error = openFailure(home.server.uri("latin_\(home.database)"))
    #expect(error?.kind == "unsuitable")
    #expect(error?.description.contains("LATIN1") == true)
  }

  @Test(
    arguments: [
      ("53100", "unavailable"), ("53300", "unavailable"), ("57P01", "unavailable"),
      ("40P01", "unavailable"), ("08006", "unavailable"), ("25006", "unavailable"),
      ("28P01", "authentication"), ("42501", "authentication"), ("42703", "unsuitable"),
      ("22001", "unsuitable"), ("3D000", "unsuitable"), (nil, "unavailable"),
    ] as [(String?, String)])
  func `a failure's SQLSTATE says whether it may pass`(state: String?, kind: String) {
    let error = SinkError(postgres: state, message: "words", place: "here")
    #expect(error.kind == kind)
    #expect(error.description.hasPrefix("here: words"))
    #expect(error.description.contains("The rows stay in the state"))
  }

  @Test func `two tables in one database do not touch each other`() throws {
    try home.open().0.write(after: nil, rows: SampleRows.batch(0..<3))
    let other = PostgresSink(
      address: try PostgresAddress(uri: home.uri), table: try TableName(parsing: "Other_2"))
    let held = try other.open(
      identity: SampleRows.otherJob, owner: SampleRows.owner(2), claim: .first, adopt: false)
    #expect(held == nil)
    try other.write(after: nil, rows: SampleRows.batch(0..<5))
    #expect(try home.lines().count == 3)
    #expect(TableExport.lines(try TableExport.postgres(home.uri, table: "Other_2")).count == 5)
  }
}

import Glibc
import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// What an Iceberg table must be like, and what the sink makes where there is none.
@Suite(
  .enabled(if: !IcebergWarehouse.isMissing, Comment(rawValue: IcebergWarehouse.skipMessage)))
struct IcebergTableTests {
  /// Iceberg's type of each that the statements for Spark and Trino name.
  private static let types = [
    "STRING": "string", "BOOLEAN": "boolean", "TIMESTAMP": "timestamptz", "DATE": "date",
    "BIGINT": "long", "varchar": "string", "boolean": "boolean", "date": "date", "bigint": "long",
    "timestamp(6) with time zone": "timestamptz",
  ]

  @Test(arguments: [SinkDDL.Dialect.spark, .trino])
  func `the table that is made is the one that ddl prints`(_ dialect: SinkDDL.Dialect) throws {
    let home = IcebergHome()
    #expect(home.makeSink().isMissing)
    let sink = try home.open().0
    #expect(!sink.isMissing)
    let statement = SinkDDL.text(dialect: dialect, table: .sessions)
    let columns = statement.split(separator: "\n").filter { $0.hasPrefix("  ") }.map { line in
      let isRequired = line.contains(" NOT NULL")
      let words = line.replacing(" NOT NULL", with: "").replacing(",", with: "")
        .split(separator: " ")
      let type = words.dropFirst().joined(separator: " ")
      return "\(words[0]) \(Self.types[type] ?? type) \(isRequired ? "required" : "optional")"
    }
    let made = try home.run(
      """
      t = catalog.load_table(name)
      for f in t.schema().fields:
          print(f.name, f.field_type, "required" if f.required else "optional")
      """)
    #expect(made.split(separator: "\n").map(String.init) == columns)
    let layout = try home.run(
      """
      s = t.spec().fields
      print(t.format_version, len(s), t.schema().find_column_name(s[0].source_id), s[0].transform)
      """)
    #expect(layout == "2 1 session_date identity\n")
    let properties = try home.run(
      """
      for key in ["write.metadata.delete-after-commit.enabled", "sojourn.keep-snapshots"]:
          print(t.properties.get(key))
      """)
    #expect(properties == "true\n20\n")
    #expect(statement.contains("session_date)") || statement.contains("['session_date']"))
  }

  @Test(
    arguments: [
      ("u.delete_column('city')", "column city is missing"),
      (
        "u.delete_column('duration_ms').add_column('duration_ms', IntegerType())",
        "column duration_ms has the type int"
      ),
      (
        "u.update_column('city', required=True)",
        "column city is NOT NULL, but its values may be null"
      ),
      (
        "u.add_column('source', StringType(), required=True)",
        "the further column source is NOT NULL"
      ),
    ])
  func `a table that cannot take the rows is refused before any`(
    _ change: String, _ fault: String
  ) throws {
    let home = IcebergHome()
    try home.open().0.close()
    try home.run(
      """
      from pyiceberg.types import IntegerType, StringType
      t = catalog.load_table(name)
      with t.update_schema(allow_incompatible_changes=True) as u:
          \(change)
      """)
    let error = failure { () throws(SinkError) in
      _ = try home.makeSink().open(
        identity: SampleRows.identity, owner: SampleRows.owner(2), claim: .first, adopt: false)
    }
    #expect(error?.kind == "unsuitable")
    #expect(error?.description.contains(fault) == true, "\(error?.description ?? "none")")
  }

  @Test func `a table may have further columns, and another order of them`() throws {
    let home = IcebergHome()
    try home.open().0.close()
    try home.run(
      """
      from pyiceberg.types import StringType
      with catalog.load_table(name).update_schema() as u:
          u.add_column('note', StringType()).move_first('city')
      """)
    let (sink, _) = try home.open(2)
    try sink.write(after: nil, rows: SampleRows.batch(0..<3))
    let found = try home.run(
      "print(catalog.load_table(name).scan().to_arrow().column('note').null_count, end='')")
    #expect(found == "3")
  }

  @Test func `a table that somebody else made may be laid out otherwise, and keeps its snapshots`()
    throws
  {
    let home = IcebergHome()
    try home.open().0.close()
    try home.run(
      """
      made = catalog.load_table(name)
      catalog.drop_table(name)
      catalog.create_table(name, made.schema())
      """)
    let (sink, _) = try home.open(2)
    var held: RowPosition?
    for number in 0..<45 {
      let rows = SampleRows.batch(number..<number + 1)
      try sink.write(after: held, rows: rows)
      held = rows.lastPosition
    }
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<45)))
    // One of the claim.
    #expect(try home.run("print(len(catalog.load_table(name).snapshots()), end='')") == "46")
  }

  @Test func `rows are gathered for a commit, up to what both processes hold`() {
    #expect(
      IcebergHome().makeSink().bundle
        == SinkBundle(interval: 60 * .perSecond, rows: 100_000, bytes: 32 << 20))
  }

  @Test func `rows come back through ArrivedRows as they went in, commit by commit`() throws {
    let home = IcebergHome()
    let (sink, _) = try home.open()
    let (one, other) = (ExtremeRows.batch, SampleRows.batch(0..<5))
    try sink.write(after: nil, rows: other)
    let helper = IcebergHome.makeHelper()
    try home.makeForeignAppend()
    let arrived = try home.arrived(helper)
    #expect(arrived.prefix(5) == SampleRows.lines(other)[...])
    #expect(arrived.count == 10)

    let extreme = IcebergHome()
    let (last, _) = try extreme.open()
    try last.write(after: nil, rows: one)
    #expect(try extreme.arrived(helper) == SampleRows.lines(one))
  }

  // MARK: - The environment

  private func openError(_ helper: IcebergHelper, _ address: String) throws -> SinkError? {
    let sink = try IcebergSink(address, helper: helper, commitInterval: 0)
    return failure { () throws(SinkError) in
      _ = try sink.open(
        identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: false)
    }
  }

  @Test(arguments: ["/nowhere/python", "/bin/false", "/bin/true"])
  func `an environment that does not serve is named with the command that makes one`(
    _ python: String
  ) throws {
    let error = try openError(IcebergHelper(python: python), "a.b.c")
    #expect(error?.kind == "unsuitable")
    #expect(error?.description.contains(python) == true)
    #expect(error?.description.contains("`sojourn iceberg-setup`") == true)
  }

  @Test func `a catalog that is not configured is refused by name`() throws {
    let error = try openError(IcebergHome.makeHelper(), "nosuch.web.sessions")
    #expect(error?.kind == "unsuitable")
    #expect(error?.description.contains("PYICEBERG_CATALOG__NOSUCH__URI") == true)
  }

  @Test(arguments: [
    (401, "NotAuthorizedException", "authentication"),
    (403, "ForbiddenException", "authentication"),
    (400, "BadRequestException", "unsuitable"),
    (503, "ServiceUnavailableException", "unavailable"),
    (500, "InternalServerError", "unavailable"),
  ])
  func `what a catalog answers becomes the right error, without secrets`(
    _ code: Int, _ name: String, _ kind: String
  ) throws {
    let port = try IcebergWarehouse.shared.run(
      """
      import http.server, threading

      class Refusal(http.server.BaseHTTPRequestHandler):
          def do_GET(self):
              message = f"{self.headers.get('Authorization')} http://me:hunter2@catalog.example"
              error = {"message": message, "type": "\(name)", "code": \(code)}
              body = json.dumps({"error": error}).encode()
              self.send_response(\(code))
              self.send_header("Content-Type", "application/json")
              self.send_header("Content-Length", str(len(body)))
              self.end_headers()
              self.wfile.write(body)

          do_POST = do_HEAD = do_GET

          def log_message(self, *arguments):
              pass

      refusing = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
      threading.Thread(target=refusing.serve_forever, daemon=True).start()
      print(refusing.server_port, end="")
      """)
    let prefix = "PYICEBERG_CATALOG__REFUSING__"
    let helper = IcebergHelper(
      python: IcebergWarehouse.python,
      environment: [
        prefix + "TYPE": "rest", prefix + "URI": "http://127.0.0.1:\(port)/",
        prefix + "TOKEN": "hunter3",
      ])
    let error = try openError(helper, "refusing.web.sessions")
    #expect(error?.kind == kind, "\(String(describing: error))")
    // What the catalog says is told, but for secrets that it repeats.
    #expect(error?.description.contains("***@catalog.example") == true, "\(error!)")
    #expect(error?.description.contains("hunter") == false, "\(error!)")
  }

  @Test func `a catalog that is down is unavailable, and its secrets are not in the message`()
    throws
  {
    let closed = freePort()
    let prefix = "PYICEBERG_CATALOG__DOWN__"
    let helper = IcebergHelper(
      python: IcebergWarehouse.python,
      environment: [
        prefix + "TYPE": "rest", prefix + "URI": "http://me:hunter2@127.0.0.1:\(closed)/",
        prefix + "TOKEN": "hunter3",
      ])
    let error = try openError(helper, "down.web.sessions")
    #expect(error?.kind == "unavailable", "\(String(describing: error))")
    #expect(error?.description.contains("hunter") == false)
  }
}

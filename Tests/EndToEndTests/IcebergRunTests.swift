import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

/// Runs into an Iceberg table of a catalog and a warehouse of the tests' own.
@Suite(
  .serialized,
  .enabled(if: !IcebergWarehouse.isMissing, Comment(rawValue: IcebergWarehouse.skipMessage)))
struct IcebergRunTests {
  private let warehouse = IcebergWarehouse.shared

  /// Gives a command the catalog's configuration.
  private var words: [String] {
    ["env"] + warehouse.environment.map { "\($0.key)=\($0.value)" }
  }

  private func flags(_ table: String) -> [String] {
    [
      "--sink", "iceberg:\(IcebergWarehouse.catalog).\(table)", "--iceberg-python",
      IcebergWarehouse.python ?? "python3", "--iceberg-commit-interval", "1h",
    ]
  }

  /// The processes that a process has started.
  private func children(of process: pid_t) -> [pid_t] {
    let path = "/proc/\(process)/task"
    return ((try? Files.names(in: path)) ?? []).flatMap { thread in
      let text = (try? Files.read("\(path)/\(thread)/children")) ?? []
      return String(decoding: text, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
    }
  }

  @Test func `rows are SQLite's, read by PyIceberg and by iceberg-rust, after kills and stops`()
    throws
  {
    let table = warehouse.makeNamespace() + ".sessions"
    let topic = try Topic(partitions: 4)
    var random = RandomNumbers(seed: 11)
    func send(_ numbers: Range<Int>) throws {
      try topic.send(
        numbers.map { Array(event(user: $0 % 400, at: $0 * 30, url: "/\($0)").utf8) },
        spread: &random)
      try topic.flush()
    }
    let bench = Workbench()
    let run =
      ["run", "--state", bench.state] + topic.flags + bench.sinks + flags(table)
      + ["--checkpoint-interval", "10ms"]
    try send(0..<3_000)
    let first = try bench.start(run, through: words)
    let helper = try eventually("rows in the table") {
      (try? warehouse.export(table)).map { !$0.isEmpty } == true
        ? children(of: first.child.identifier).first : nil
    }
    first.child.signal(SIGKILL)
    _ = try first.answer()
    _ = try eventually("the helper's end") { kill(helper, 0) != 0 ? true : nil }

    try send(3_000..<6_000)
    let second = try bench.start(run, through: words)
    try bench.wait(for: "records_read", atLeast: 6_000, of: second)
    second.child.signal(SIGTERM)
    let stopped = try second.answer()
    #expect(stopped.ended(.success), "\(stopped.messages)")
    #expect(JSONLine.number("outbox_rows", in: try bench.dump() ?? "") == 0)

    let last = try bench.start(run + ["--stop-at-end", "--close-all"], through: words).answer()
    #expect(last.ended(.success), "\(last.messages)")
    #expect(last.output.split(separator: "\n").count == 1, "\(last.output)")
    let rows = try TableExport.sqlite(bench.database)
    #expect(TableExport.lines(rows).count > 1_000)
    #expect(TableExport.difference(try warehouse.export(table), from: rows) == nil)
    #expect(try ironRows(table) == TableExport.lines(rows).count)
    #expect(try parquetRows(table) == sqliteRows(bench))

    func verify() throws -> Answer {
      try bench.start(
        ["verify-sink", "--state", bench.state] + flags(table).prefix(4), through: words
      ).answer()
    }
    let verified = try verify()
    #expect(verified.ended(.success), "\(verified.messages)\(verified.output)")
    try rewriteFirstDate(table)
    let compacted = try verify()
    #expect(compacted.ended(.success), "\(compacted.messages)\(compacted.output)")
  }

  private static let compared = [
    "session_id", "user_id", "ip", "event_count", "duration_ms", "landing_url", "session_date",
  ]

  /// Rows of the Parquet files that the table names, read by Arrow alone.
  private func parquetRows(_ table: String) throws -> [String] {
    let found = try warehouse.run(
      """
      import pyarrow.dataset
      named = catalog.load_table("\(table)").inspect.files()["file_path"].to_pylist()
      files = [name.removeprefix("file://") for name in named]
      rows = pyarrow.dataset.dataset(files, format="parquet").to_table()
      names = "\(Self.compared.joined(separator: " "))".split()
      for row in sorted(rows.select(names).to_pylist(), key=lambda row: row["session_id"]):
          print("|".join(str(row[name]) for name in names))
      """)
    return found.split(separator: "\n").map(String.init)
  }

  private func sqliteRows(_ bench: Workbench) throws -> [String] {
    let names = Self.compared.joined(separator: ", ")
    return try SQLiteFile(bench.database)
      .rows("SELECT \(names) FROM sessions ORDER BY session_id")
      .map { $0.map { $0 ?? "None" }.joined(separator: "|") }
  }

  /// Puts the oldest rows into a new commit, as a compaction does.
  private func rewriteFirstDate(_ table: String) throws {
    _ = try warehouse.run(
      """
      from pyiceberg.expressions import EqualTo
      table = catalog.load_table("\(table)")
      first = min(table.scan(selected_fields=("session_date",)).to_arrow()["session_date"].to_pylist())
      rows = EqualTo("session_date", first.isoformat())
      table.overwrite(table.scan(row_filter=rows).to_arrow(), overwrite_filter=rows)
      """)
  }

  /// Ids in the table as iceberg-rust reads its metadata and files; each has to be there once.
  private func ironRows(_ table: String) throws -> Int? {
    let found = try warehouse.run(
      """
      import datafusion
      session = datafusion.SessionContext()
      session.register_table("t", catalog.load_table("\(table)"))
      counts = session.sql("SELECT count(*) AS a, count(DISTINCT session_id) AS b FROM t").to_pylist()[0]
      print(counts["a"] if counts["a"] == counts["b"] else "doubled", end="")
      """)
    return Int(found)
  }

  @Test func `kills leave no trace in the table, and the drill none in the catalog`() throws {
    let namespace = warehouse.makeNamespace()
    let bench = Workbench()
    let answer = try bench.start(
      [
        "drill", "--events", "12000", "--kills", "4", "--seed", "9", "--output", "json", "--fault",
        "kill,sink-down", "--sink", "sqlite,iceberg:\(IcebergWarehouse.catalog).\(namespace)",
        "--iceberg-python", IcebergWarehouse.python ?? "python3",
      ], through: words
    ).answer()
    #expect(answer.ended(.success), "\(answer.messages)\(answer.output)")
    #expect(answer.output.contains(#"{"name":"iceberg","rows":"#))
    #expect(try warehouse.run("print(catalog.list_tables('\(namespace)'), end='')") == "[]")
  }

  @Test func `an environment that does not serve ends a run before it reads, with 78`() throws {
    let bench = Workbench()
    let path = bench.path + "/events.jsonl"
    try Files.replace(path, with: Array((event(at: 0) + "\n").utf8))
    let answer = try bench.run(
      ["--file", path, "--sink", "iceberg:a.b.c", "--iceberg-python", "/nowhere/python"])
    #expect(answer.ended(.configuration), "\(answer.messages)")
    #expect(answer.messages.contains("sojourn iceberg-setup"))
    #expect(JSONLine.number("records_read", in: try bench.dump() ?? "") == 0)
  }
}

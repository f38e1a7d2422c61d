import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

/// Runs into a real PostgreSQL server of the tests' own.
@Suite(
  .serialized,
  .enabled(if: !PostgresServer.isMissing, Comment(rawValue: PostgresServer.skipMessage)))
struct PostgresRunTests {
  @Test func `a server killed under a run holds back its rows only, and gets each once`() throws {
    let server = PostgresServer()
    server.start()
    defer { server.stop(SIGQUIT) }
    let address = server.uri(try server.makeDatabase())
    let topic = try Topic(partitions: 4)
    var random = RandomNumbers(seed: 5)
    func send(_ numbers: Range<Int>) throws {
      try topic.send(
        numbers.map { Array(event(user: $0 % 400, at: $0 * 3, url: "/\($0)").utf8) },
        spread: &random)
    }
    let bench = Workbench()
    let flags = topic.flags + bench.sinks + ["--sink", address, "--checkpoint-interval", "10ms"]
    try send(0..<2_000)
    let run = try bench.startRun(flags)
    try bench.wait(for: "delivered", atLeast: 1, of: run)
    server.stop(SIGKILL)
    try send(2_000..<6_000)
    try bench.wait(for: "records_read", atLeast: 6_000, of: run)
    try bench.wait(for: "outbox_rows", atLeast: 1, of: run)
    #expect(run.said.contains("sink postgres waits: "))
    server.start()
    try send(6_000..<8_000)
    try bench.wait(for: "records_read", atLeast: 8_000, of: run)
    run.child.signal(SIGTERM)
    let stopped = try run.answer()
    #expect(stopped.ended(.success), "\(stopped.messages)")
    let last = try bench.run(flags + ["--stop-at-end", "--close-all"])
    #expect(last.ended(.success), "\(last.messages)")
    let rows = try TableExport.sqlite(bench.database)
    #expect(TableExport.lines(rows).count > 1_000)
    #expect(TableExport.difference(try TableExport.postgres(address), from: rows) == nil)
  }

  @Test func `a second process that takes over the table ends the first with 75`() throws {
    let server = PostgresServer.shared
    let address = server.uri(try server.makeDatabase())
    let topic = try Topic(partitions: 1)
    try topic.send(event(at: 0))
    try topic.flush()
    let flags = topic.flags + ["--sink", address, "--checkpoint-interval", "10ms"]
    let (old, new) = (Workbench(), Workbench())
    let first = try old.startRun(flags)
    try old.wait(for: "records_read", atLeast: 1, of: first)
    let second = try new.startRun(flags)
    try new.wait(for: "records_read", atLeast: 1, of: second)
    // Closes the session before, so that both have a row to write.
    try topic.send(event(at: 3_600))
    try topic.flush()
    let answer = try first.answer()
    #expect(answer.ended(.takenOver), "\(answer.messages)")
    try new.wait(for: "delivered", atLeast: 1, of: second)
    second.child.signal(SIGTERM)
    #expect(try second.answer().ended(.success))
    #expect(TableExport.lines(try TableExport.postgres(address)).count == 1)
  }

  @Test func `a database that was replaced by an empty one is waited for, and nothing made there`()
    throws
  {
    let server = PostgresServer.shared
    let (address, empty) = (
      server.uri(try server.makeDatabase()), server.uri(try server.makeDatabase())
    )
    let topic = try Topic(partitions: 1)
    try topic.send(event(at: 0))
    try topic.flush()
    let bench = Workbench()
    func run(_ address: String, _ flags: [String] = []) throws -> Answer {
      try bench.run(
        topic.flags + [
          "--sink", address, "--stop-at-end", "--close-all", "--shutdown-timeout", "1s",
        ] + flags)
    }
    #expect(try run(address).ended(.success))
    try topic.send(event(at: 90_000))
    try topic.flush()
    let waiting = try run(empty)
    #expect(waiting.ended(.unavailable), "\(waiting.messages)")
    #expect(waiting.messages.contains("--accept-missing-rows postgres"))
    let tables = "SELECT relname FROM pg_class WHERE relname IN ('sessions', 'sojourn_sinks')"
    #expect(try PostgresClient(empty).rows(tables) == [])
    #expect(try run(address).ended(.success))
    #expect(TableExport.lines(try TableExport.postgres(address)).count == 2)
  }

  @Test func `kills leave no trace in the table, and the drill none in the database`() throws {
    let server = PostgresServer.shared
    let address = server.uri(try server.makeDatabase())
    let drill = [
      "drill", "--events", "12000", "--kills", "12", "--seed", "9", "--output", "json",
      "--fault", "kill,sink-down", "--sink", "sqlite,\(address)",
    ]
    let answer = try Workbench().answer(drill)
    #expect(answer.ended(.success), "\(answer.messages)\(answer.output)")
    #expect(answer.output.contains(#"{"name":"postgres","rows":"#))
    let tables = "SELECT count(*) FROM pg_class WHERE relname LIKE 'sojourn_%' AND relkind = 'r'"
    let client = try PostgresClient(address)
    #expect(try client.rows(tables) == [["1"]])
    #expect(try client.rows("SELECT count(*) FROM sojourn_sinks") == [["0"]])
    // A table of that name that is there already is somebody's.
    try client.run("CREATE TABLE sojourn_drilled (x int)")
    let refused = try Workbench().answer(drill)
    #expect(refused.ended(.configuration), "\(refused.messages)")
    #expect(try client.rows(tables) == [["2"]])
  }
}

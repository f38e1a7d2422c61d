import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

/// A run into one sink that is altered between two batches of rows.
private final class Altered {
  let bench = Workbench()
  let topic: Topic
  let run: StartedCommand

  init(_ sink: (Workbench) -> String) throws {
    topic = try Topic(partitions: 1)
    run = try bench.startRun(
      topic.flags + ["--sink", sink(bench), "--checkpoint-interval", "10ms"])
    try send(1...4)
    try bench.wait(for: "delivered", atLeast: 3, of: run)
  }

  /// Visitors an hour apart: each closes the session of the one before.
  func send(_ visitors: ClosedRange<Int>) throws {
    for visitor in visitors { try topic.send(event(user: visitor, at: visitor * 3_600)) }
    try topic.flush()
  }

  /// Sends more, which the sink must refuse.
  func stops(_ code: ExitCode, saying words: String) throws {
    try send(5...8)
    let answer = try run.answer()
    #expect(answer.ended(code), "\(answer.end) \(answer.messages)")
    #expect(answer.messages.contains(words), "\(answer.messages)")
    #expect(try bench.count("outbox_rows") > 0)
  }

  /// Sends more, which the sink must take.
  func goesOn() throws {
    try send(5...8)
    try bench.wait(for: "delivered", atLeast: 7, of: run)
    run.child.signal(SIGTERM)
    #expect(try run.answer().ended(.success))
  }

  /// A new start, after the sink was put right.
  func startsAgain(_ sink: String) throws {
    let answer = try bench.run(topic.flags + ["--sink", sink, "--stop-at-end"])
    #expect(answer.ended(.success), "\(answer.messages)")
  }

  func users() throws -> [String?] {
    try SQLiteFile(bench.database).rows("SELECT user_id FROM sessions ORDER BY session_end")
      .map { $0[0] }
  }
}

@Suite struct AlteredTableTests {
  @Test func `a further column, an index and deleted rows do not stop a run`() throws {
    let altered = try Altered { "sqlite:\($0.database)" }
    try SQLiteFile(altered.bench.database).run(
      """
      ALTER TABLE sessions ADD COLUMN note TEXT;
      CREATE INDEX by_user ON sessions (user_id);
      DELETE FROM sessions WHERE user_id = '2';
      """)
    try altered.goesOn()
    #expect(try altered.users() == ["1", "3", "4", "5", "6", "7"])
  }

  @Test func `a column that is dropped stops the run, and a start once it is back goes on`() throws
  {
    let altered = try Altered { "sqlite:\($0.database)" }
    let file = try SQLiteFile(altered.bench.database)
    try file.run("ALTER TABLE sessions DROP COLUMN city")
    try altered.stops(.configuration, saying: "city")
    try file.run("ALTER TABLE sessions ADD COLUMN city TEXT")
    try altered.startsAgain("sqlite:\(altered.bench.database)")
    #expect(try altered.users() == ["1", "2", "3", "4", "5", "6", "7"])
  }

  @Test func `a column of another type stops the next start, naming it`() throws {
    let altered = try Altered { "sqlite:\($0.database)" }
    try altered.goesOn()
    try SQLiteFile(altered.bench.database).run(
      """
      ALTER TABLE sessions DROP COLUMN city;
      ALTER TABLE sessions ADD COLUMN city INTEGER;
      """)
    let answer = try altered.bench.run(
      altered.topic.flags + ["--sink", "sqlite:\(altered.bench.database)", "--stop-at-end"])
    #expect(answer.ended(.configuration), "\(answer.messages)")
    #expect(answer.messages.contains("column city has the type INTEGER"))
  }

  @Test func `a table that is dropped stops the run, and a start once it is back goes on`() throws {
    let altered = try Altered { "sqlite:\($0.database)" }
    let file = try SQLiteFile(altered.bench.database)
    // Renamed away: restored later.
    try file.run("ALTER TABLE sessions RENAME TO kept")
    try altered.stops(.configuration, saying: "sessions")
    try file.run("ALTER TABLE kept RENAME TO sessions")
    try altered.startsAgain("sqlite:\(altered.bench.database)")
    #expect(try altered.users() == ["1", "2", "3", "4", "5", "6", "7"])
  }

  @Test(arguments: ["_position", "_owner"])
  func `a mark that is removed stops the run, and a new start goes on`(name: String) throws {
    let altered = try Altered { "jsonl:\($0.lines)" }
    let lines = altered.bench.lines
    try Files.remove(lines + "/" + name)
    try altered.stops(.configuration, saying: lines)
    try altered.startsAgain("jsonl:\(lines)")
    let users = TableExport.lines(try TableExport.jsonl(lines)).map {
      JSONLine.text("user_id", in: $0)
    }
    #expect(users == ["1", "2", "3", "4", "5", "6", "7"])
  }
}

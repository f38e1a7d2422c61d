import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

/// Runs on growing files into both sinks.
private struct Growing {
  let bench = Workbench()

  /// Adds visitors, an hour apart, and runs to the end of what is there.
  func run(visitors: ClosedRange<Int>, _ flags: [String]) throws -> Answer {
    let lines = visitors.map { event(user: $0, at: $0 * 3_600) + "\n" }.joined()
    _ = try bench.write(lines, to: "events-\(100 + visitors.lowerBound).jsonl")
    let files = try Files.names(in: bench.path).filter { $0.hasPrefix("events-") }
    return try bench.run(files.flatMap { ["--file", bench.path + "/" + $0] } + flags)
  }

  var users: [String?] {
    get throws {
      try SQLiteFile(bench.database).rows("SELECT user_id FROM sessions ORDER BY session_end")
        .map { $0[0] }
    }
  }
}

@Test func `a sink that is no longer given stops the run until it is dropped by name`() throws {
  let growing = Growing()
  let bench = growing.bench
  #expect(try growing.run(visitors: 1...3, bench.sinks).ended(.success))
  let one = ["--sink", "sqlite:\(bench.database)"]
  let refused = try growing.run(visitors: 4...6, one)
  #expect(refused.ended(.configuration), "\(refused.messages)")
  #expect(refused.messages.contains("'jsonl'"))
  #expect(refused.messages.contains("--drop-sink jsonl"))
  #expect(try growing.users == ["1", "2"])
  let dropped = try growing.run(visitors: 4...6, one + ["--drop-sink", "jsonl"])
  #expect(dropped.ended(.success), "\(dropped.messages)")
  #expect(try growing.users == ["1", "2", "3", "4", "5"])
  // It is forgotten: the next run need not drop it again.
  #expect(try growing.run(visitors: 4...6, one).ended(.success))
}

@Test func `a table restored from a backup stops the run, until its missing rows are accepted`()
  throws
{
  let growing = Growing()
  let bench = growing.bench
  let sink = ["--sink", "sqlite:\(bench.database)"]
  #expect(try growing.run(visitors: 1...3, sink).ended(.success))
  let backup = try Files.read(bench.database)
  let old = try position(of: bench)
  #expect(try growing.run(visitors: 4...6, sink).ended(.success))
  let new = try position(of: bench)
  #expect(old != new)
  for suffix in ["-wal", "-shm"] { unlink(bench.database + suffix) }
  try Files.replace(bench.database, with: backup)
  #expect(try growing.users == ["1", "2"])

  let refused = try growing.run(visitors: 7...9, sink)
  #expect(refused.ended(.configuration), "\(refused.messages)")
  #expect(refused.messages.contains(old))
  #expect(refused.messages.contains(new))
  #expect(refused.messages.contains("--accept-missing-rows sqlite"))
  #expect(try growing.users == ["1", "2"])
  let accepted = try growing.run(
    visitors: 7...9, sink + ["--accept-missing-rows", "sqlite"])
  #expect(accepted.ended(.success), "\(accepted.messages)")
  #expect(try growing.users == ["1", "2", "6", "7", "8"])
  #expect(try growing.run(visitors: 10...11, sink).ended(.success))
}

private func position(of bench: Workbench) throws -> String {
  try #require(JSONLine.text("position", in: try bench.look()))
}

@Test func `a sink that stays locked at the end of a bounded run ends it as unavailable`() throws {
  let growing = Growing()
  let bench = growing.bench
  let sink = ["--sink", "sqlite:\(bench.database)"]
  #expect(try growing.run(visitors: 1...3, sink).ended(.success))
  let other = try SQLiteFile(bench.database)
  try other.run("BEGIN IMMEDIATE")
  let answer = try growing.run(visitors: 4...6, sink + ["--shutdown-timeout", "100ms"])
  #expect(answer.ended(.unavailable), "\(answer.messages)")
  #expect(answer.messages.contains("The state is safe"))
  #expect(try bench.count("records_read") == 6)
  #expect(try bench.count("outbox_rows") == 3)
  try other.run("ROLLBACK")
  #expect(try growing.run(visitors: 4...6, sink).ended(.success))
  #expect(try growing.users == ["1", "2", "3", "4", "5"])
  #expect(try bench.count("outbox_rows") == 0)
}

import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

/// `sojourn verify-sink` on tables that were, and were not, left alone.
@Suite struct VerifySinkTests {
  private let bench = Workbench()
  private static let days = 4

  /// One session of each visitor on each day, into both sinks.
  private func fill() throws {
    var lines = ""
    for day in 0..<Self.days {
      for user in 1...5 { lines += event(user: user, at: day * 86_400 + user * 3_600) + "\n" }
    }
    let events = try bench.write(lines, to: "events.jsonl")
    let answer = try bench.run(["--file", events, "--close-all"] + bench.sinks)
    #expect(answer.ended(.success), "\(answer.messages)")
  }

  private func verify(_ flags: [String] = []) throws -> Answer {
    try bench.answer(
      ["verify-sink", "--state", bench.state, "--output", "json"] + bench.sinks + flags)
  }

  /// What is said of a sink, which must differ.
  private func verdict(on sink: String, _ flags: [String] = []) throws -> String {
    let answer = try verify(flags)
    #expect(answer.ended(.difference), "\(answer.output) \(answer.messages)")
    #expect(answer.messages.contains(sink))
    let line = answer.output.split(separator: "\n").first { $0.contains("\"sink\":\"\(sink)\"") }
    return String(try #require(line))
  }

  private func change(_ statement: String) throws {
    try SQLiteFile(bench.database).run(statement)
  }

  @Test func `tables that hold what was delivered are equal`() throws {
    try fill()
    let answer = try verify()
    #expect(answer.ended(.success), "\(answer.output) \(answer.messages)")
    let lines = answer.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 2)
    for line in lines {
      #expect(line.contains("\"equal\":true"))
      #expect(JSONLine.number("rows", in: line) == 5 * Self.days)
    }
  }

  @Test func `a row that is missing is missed on its date`() throws {
    try fill()
    try change("DELETE FROM sessions WHERE session_date = '2025-03-03' AND user_id = '2'")
    let verdict = try verdict(on: "sqlite")
    #expect(
      verdict.contains(
        #""differences":[{"session_date":"2025-03-03","delivered":5,"found":4}]"#))
  }

  @Test(arguments: [
    "landing_url = '/other'", "event_count = event_count + 1", "browser_family = 'Lynx'",
    "referrer = ''",
  ])
  func `a value that was changed is seen on its date`(_ assignment: String) throws {
    try fill()
    try change(
      "UPDATE sessions SET \(assignment) WHERE session_date = '2025-03-02' AND user_id = '3'")
    let verdict = try verdict(on: "sqlite")
    #expect(
      verdict.contains(
        #""differences":[{"session_date":"2025-03-02","delivered":5,"found":5}]"#))
  }

  @Test(arguments: [
    "user_id = '7'", "session_start = '2025-03-02T00:00:00.000000Z'", "duration_ms = 5",
    "session_date = '2025-03-01'", "is_logged_in = 0",
  ])
  func `a row that no session of the job can have is foreign`(_ assignment: String) throws {
    try fill()
    try change(
      "UPDATE sessions SET \(assignment) WHERE session_date = '2025-03-02' AND user_id = '3'")
    let verdict = try verdict(on: "sqlite")
    #expect(verdict.contains(#""foreign":{"rows":1,"shown":["{\"session_id\""#), "\(verdict)")
  }

  @Test func `a line that stands twice is shown`() throws {
    try fill()
    let name = try #require(
      try Files.names(in: bench.lines).first { $0.hasPrefix("sessions-") })
    let content = try Files.read(bench.lines + "/" + name)
    let first = content.prefix { $0 != UInt8(ascii: "\n") } + [UInt8(ascii: "\n")]
    try Files.replace(bench.lines + "/" + name, with: first + content)
    let verdict = try verdict(on: "jsonl")
    #expect(verdict.contains(#""misplaced":{"rows":1,"#))
    #expect(
      verdict.contains(
        #""differences":[{"session_date":"2025-03-01","delivered":5,"found":6}]"#))
  }

  @Test func `geography is not compared, and dates before --since are passed over`() throws {
    try fill()
    try change("UPDATE sessions SET city = 'Bern'")
    #expect(try verify().ended(.success))
    try change("DELETE FROM sessions WHERE session_date < '2025-03-03'")
    _ = try verdict(on: "sqlite", ["--since", "2025-03-02"])
    let answer = try verify(["--since", "2025-03-03"])
    #expect(answer.ended(.success), "\(answer.output)")
    let line = try #require(answer.output.split(separator: "\n").first)
    #expect(JSONLine.number("rows", in: String(line)) == 10)
  }

  @Test func `a sink that began late is compared from the day behind its beginning on`() throws {
    let file = try bench.write(
      (1...5).map { event(user: $0, at: $0 * 3_600) + "\n" }.joined(), to: "first.jsonl")
    let one = ["--sink", "sqlite:\(bench.database)"]
    #expect(try bench.run(["--file", file] + one).ended(.success))
    let more = try bench.write(
      (1...5).map { event(user: $0, at: 2 * 86_400 + $0 * 3_600) + "\n" }.joined(),
      to: "second.jsonl")
    #expect(
      try bench.run(["--file", file, "--file", more, "--close-all"] + bench.sinks).ended(.success))
    let answer = try verify()
    #expect(answer.ended(.success), "\(answer.output) \(answer.messages)")
    let lines = answer.output.split(separator: "\n").map(String.init)
    #expect(lines[0].contains(#""since":"1970-01-01""#))
    #expect(lines[1].contains(#""since":"2025-03-02""#))
    #expect(JSONLine.number("rows", in: lines[1]) == 5)
  }

  @Test func `a sink that the state does not know is refused by name`() throws {
    try fill()
    let answer = try bench.answer(
      ["verify-sink", "--state", bench.state, "--sink", "archive=jsonl:\(bench.lines)"])
    #expect(answer.ended(.usage))
    #expect(answer.messages.contains("archive"))
    #expect(answer.messages.contains("jsonl, sqlite") || answer.messages.contains("sqlite, jsonl"))
  }

  @Test func `a table that is not there is an error, not a difference`() throws {
    try fill()
    unlink(bench.database)
    let answer = try verify()
    #expect(answer.ended(.configuration) || answer.ended(.unavailable), "\(answer.messages)")
    #expect(!Files.exists(bench.database))
  }
}

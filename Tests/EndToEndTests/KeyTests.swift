import Platform
import SessionModel
import TestSupport
import Testing

/// An event of a visitor with a cookie, at so many seconds after 2025-03-01T10:00:00Z.
private func visit(_ cookie: String, user: String?, ip: String, at second: Int) -> String {
  """
  {"cookie":{"id":"\(cookie)"},"user_id":\(user.map { "\"\($0)\"" } ?? "null"),"ip":"\(ip)",\
  "url":"/\(second)","event_time":\(1_740_823_200 + second)}\n
  """
}

private let flags = ["--key", "anonymous_id", "--field", "anonymous_id=cookie.id"]

@Test func `a key of one's own is a column, and what session_id is made of`() throws {
  let bench = Workbench()
  let file = try bench.write(
    visit("c1", user: nil, ip: "10.0.0.1", at: 0) + visit("c2", user: "9", ip: "10.0.0.1", at: 1)
      // Another address and a login go on in the same session.
      + visit("c1", user: "7", ip: "10.0.0.2", at: 60), to: "events.jsonl")
  let run = try bench.run(["--file", file, "--close-all"] + flags + bench.sinks)
  #expect(run.ended(.success), "\(run.messages)")
  let rows = try SQLiteFile(bench.database).rows(
    """
    SELECT anonymous_id, user_id, ip, is_logged_in, event_count, landing_url, exit_url, session_id
    FROM sessions ORDER BY anonymous_id
    """)
  #expect(
    rows.map { Array($0.dropLast()) } == [
      ["c1", "7", "10.0.0.1", "1", "2", "/0", "/60"],
      ["c2", "9", "10.0.0.1", "1", "1", "/1", "/1"],
    ])
  // printf 'c1\x1f1740823200000000' | sha256sum
  #expect(
    rows.first?.last == "ba1cd8e577b95ea8123757a7414903ce7664c8b0f4954e538e84469ef5d0b92d")
  let lines = String(decoding: try TableExport.jsonl(bench.lines), as: UTF8.self)
  #expect(lines.contains(#""anonymous_id":"c1","user_id":"7","ip":"10.0.0.1""#))
}

@Test func `two fields of one's own are two columns, in the key's order, and verified`() throws {
  let bench = Workbench()
  let file = try bench.write(
    visit("c1", user: "7", ip: "10.0.0.1", at: 0) + visit("c2", user: nil, ip: "10.0.0.1", at: 1),
    to: "events.jsonl")
  let key = ["--key", "page,ip,cookie", "--field", "cookie=cookie.id", "--field", "page=url"]
  let run = try bench.run(["--file", file, "--close-all"] + key + bench.sinks)
  #expect(run.ended(.success), "\(run.messages)")
  let rows = try SQLiteFile(bench.database).rows(
    "SELECT page, cookie, ip, user_id FROM sessions ORDER BY page")
  #expect(rows == [["/0", "c1", "10.0.0.1", "7"], ["/1", "c2", "10.0.0.1", nil]])
  let lines = String(decoding: try TableExport.jsonl(bench.lines), as: UTF8.self)
  #expect(lines.contains(#""page":"/0","cookie":"c1","user_id":"7","ip":"10.0.0.1""#))
  let verified = try bench.answer(["verify-sink", "--state", bench.state] + bench.sinks)
  #expect(verified.ended(.success), "\(verified.output)")
}

@Test func `the open sessions of a key of one's own are shown by its name`() throws {
  let bench = Workbench()
  let file = try bench.write(
    visit("c1", user: "7", ip: "10.0.0.1", at: 0) + visit("c2", user: nil, ip: "10.0.0.2", at: 1),
    to: "events.jsonl")
  #expect(try bench.run(["--file", file] + flags + bench.sinks).ended(.success))
  let shown = try bench.look("sessions", ["--user", "7"])
  #expect(shown.hasPrefix(#"{"anonymous_id":"c1","user_id":"7","ip":"10.0.0.1","#))
  #expect(shown.split(separator: "\n").count == 1)
}

@Test func `a state and a table keep to their key`() throws {
  let bench = Workbench()
  let file = try bench.write(visit("c1", user: "7", ip: "10.0.0.1", at: 0), to: "events.jsonl")
  #expect(try bench.run(["--file", file] + flags + bench.sinks).ended(.success))
  let other = try bench.run(["--file", file] + bench.sinks)
  #expect(other.ended(.configuration))
  #expect(other.messages.contains("anonymous_id") && other.messages.contains("user_id,ip"))
}

@Test func `sessions are cut at midnight where that is asked for, and a state keeps to it`() throws
{
  let bench = Workbench()
  // 2025-03-01T23:58:20Z and on, every 50 s.
  let lines = (0..<4).map { event(at: 50_300 + $0 * 50) + "\n" }
  let file = try bench.write(lines.joined(), to: "events.jsonl")
  let flags = ["--file", file, "--sink", "sqlite:\(bench.database)"]
  #expect(try bench.run(flags + ["--split-every", "1d"]).ended(.success))
  let summary = try bench.look()
  #expect(JSONLine.number("open_sessions", in: summary) == 2)
  #expect(summary.contains(#""oldest_open_session":"2025-03-01T23:58:20.000000Z""#))
  let other = try bench.run(flags)
  #expect(other.ended(.configuration))
  #expect(other.messages.contains("split_us '86400000000', not 'off'"), "\(other.messages)")
  #expect(try bench.run(flags + ["--split-every", "1d", "--close-all"]).ended(.success))
  let rows = try SQLiteFile(bench.database).rows(
    "SELECT session_date, session_start, event_count FROM sessions ORDER BY 1")
  #expect(
    rows == [
      ["2025-03-01", "2025-03-01T23:58:20.000000Z", "2"],
      ["2025-03-02", "2025-03-02T00:00:00.000000Z", "2"],
    ])
}

@Test func `the DDL has the key's columns, and an address that may be missing`() throws {
  let answer = try Workbench().answer([
    "ddl", "--dialect", "sqlite", "--key", "site, anonymous_id",
  ])
  #expect(
    answer.output.contains(
      """
        session_id TEXT NOT NULL PRIMARY KEY,
        site TEXT NOT NULL,
        anonymous_id TEXT NOT NULL,
        user_id TEXT,
        ip TEXT,
      """))
}

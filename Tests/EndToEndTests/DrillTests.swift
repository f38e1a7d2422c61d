import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

/// `sojourn drill` at a small size: every fault, and differences that it must find.
///
/// One after the other: each keeps the machine busy enough.
@Suite(.serialized) struct DrillTests {
  private static let events = 12_000

  private func drill(_ more: [String], strikes: Int = 4) throws -> Answer {
    let bench = Workbench()
    let answer = try bench.answer(
      [
        "drill", "--events", "\(Self.events)", "--kills", "\(strikes)", "--sink", "sqlite,jsonl",
        "--output", "json", "--dir", bench.path,
      ] + more)
    // A directory that was named stays, and nothing is left in it.
    if answer.ended(.success) { #expect(try Files.names(in: bench.path) == []) }
    return answer
  }

  /// What every drill that succeeds has to say.
  private func check(_ answer: Answer, strikes: Int = 4) throws {
    let report = answer.output
    try #require(answer.ended(.success), "\(answer.messages)\(report)")
    #expect(report.hasPrefix(#"{"equal":true,"#))
    #expect(JSONLine.number("records_read", in: report) == Self.events)
    let side = ["late", "rejected"].map { JSONLine.number($0, in: report) ?? 0 }
    #expect(side.allSatisfy { $0 > 0 }, "the log has late and rejected records")
    let sessions = JSONLine.number("events_in_sessions", in: report) ?? 0
    #expect(sessions + side[0] + side[1] == Self.events)
    #expect(try #require(JSONLine.number("rows", in: report)) > 500)
    let met = ["startUp", "reading", "draining"].map { JSONLine.number($0, in: report) ?? 0 }
    #expect(met.reduce(0, +) == strikes, "\(report)")
  }

  @Test func `kills leave no trace`() throws {
    let answer = try drill(["--seed", "7"], strikes: 50)
    try check(answer, strikes: 50)
    #expect(try #require(JSONLine.number("median", in: answer.output)) > 0)
  }

  @Test(arguments: ["stop", "broker-down", "leader-change", "sink-down", "state-lost", "state-old"])
  func `other faults leave no trace`(fault: String) throws {
    let answer = try drill(["--fault", fault])
    try check(answer)
    #expect(JSONLine.number(fault, in: answer.output) == 4)
  }

  @Test func `faults of all kinds in turns leave no trace, on a log that grows`() throws {
    let faults = "kill,stop,broker-down,leader-change,sink-down,state-old"
    try check(try drill(["--fault", faults, "--live", "--seed", "3"], strikes: 6), strikes: 6)
  }

  @Test func `a geography service that fails half of the time costs no row its place`() throws {
    let answer = try drill(["--geo-failures", "50"], strikes: 6)
    try check(answer, strikes: 6)
  }

  @Test(.enabled(if: SmallDiskTest.isPermitted, "neither root nor user namespaces: no small disk"))
  func `a full disk stops the process, and leaves no trace`() throws {
    let answer = try drill(["--fault", "disk-full"], strikes: 8)
    try check(answer, strikes: 8)
    #expect(try #require(JSONLine.number("stopped_by_full_disk", in: answer.output)) > 0)
  }

  @Test(arguments: [
    ("changed", "UPDATE sojourn_drilled SET landing_url = '/planted' WHERE rowid = 1"),
    ("lost", "DELETE FROM sojourn_drilled WHERE rowid = 1"),
    (
      "misplaced",
      """
      INSERT INTO sojourn_drilled SELECT 'planted', user_id, ip, is_logged_in, session_start, \
      session_end, session_date, duration_ms, event_count, page_views, distinct_pages, \
      distinct_pages_is_minimum, is_bounce, landing_url, exit_url, referrer, host, browser_family, \
      os_family, device_family, is_bot, utm_source, utm_medium, utm_campaign, click_id, \
      click_id_type, channel, country, state, city FROM sojourn_drilled WHERE rowid = 1
      """
    ),
  ])
  func `a row that somebody tampered with fails the drill, which shows it`(
    kind: String, statement: String
  ) throws {
    let bench = Workbench()
    let directory = bench.path + "/drill"
    let drill = try bench.start([
      "drill", "--events", "30000", "--kills", "20", "--dir", directory, "--output", "json",
    ])
    let table = directory + "/drilled/sessions.db"
    // While lives come and go, as soon as there are two rows: the last one is no good for a lost row.
    _ = try eventually("rows; \(drill.said)") { () -> Bool? in
      guard Files.exists(table), drill.child.poll() == nil else { return nil }
      let file = try SQLiteFile(table)
      guard let count = try? file.rows("SELECT count(*) FROM sojourn_drilled"), count != [["0"]],
        count != [["1"]]
      else { return nil }
      try file.run(statement)
      return true
    }
    let answer = try drill.answer()
    #expect(answer.ended(.difference), "\(answer.messages)")
    #expect(answer.messages.contains("kept in \(directory)"))
    #expect(answer.output.hasPrefix(#"{"equal":false,"#))
    #expect(JSONLine.number(kind, in: answer.output) == 1, "\(answer.output)")
    #expect(Files.exists(directory + "/uninterrupted/sessions.db"))
    if kind == "lost" {
      #expect(answer.output.contains(#"{"drilled":null,"uninterrupted":"{\"session_id\":"#))
    } else {
      #expect(answer.output.contains("planted"))
    }
  }

  @Test func `a directory that is not empty is left alone`() throws {
    let bench = Workbench()
    _ = try bench.write("mine", to: "file")
    let answer = try bench.answer(["drill", "--dir", bench.path])
    #expect(answer.ended(.usage))
    #expect(try Files.names(in: bench.path) == ["file"])
  }
}

/// On a broker that is not the drill's own.
@Suite(
  .disabled(if: SecondBroker.isMissing, Comment(rawValue: SecondBroker.skipMessage)), .serialized)
struct RealClusterDrillTests {
  @Test func `a drill on a cluster makes its topic, and refuses one that is there`() throws {
    let broker = try SecondBroker()
    let bench = Workbench()
    let drill = [
      "drill", "--events", "5000", "--kills", "5", "--brokers", broker.brokers, "--topic-prefix",
      "drill", "--seed", "4", "--output", "json", "-X", "fetch.wait.max.ms=50",
    ]
    let kept = try bench.answer(drill + ["--keep", "--dir", bench.path + "/kept"])
    #expect(kept.ended(.success), "\(kept.messages)")
    #expect(JSONLine.number("records_read", in: kept.output) == 5_000)
    let again = try bench.answer(drill)
    #expect(again.ended(.unavailable), "\(again.messages)")
    #expect(again.messages.contains("exists already"))
  }

  @Test func `faults of brokers are refused on a cluster`() throws {
    let answer = try Workbench().answer([
      "drill", "--brokers", "127.0.0.1:1", "--topic-prefix", "drill", "--fault", "broker-down",
    ])
    #expect(answer.ended(.usage))
    #expect(answer.messages.contains("needs brokers that the drill can stop"))
  }
}

enum SmallDiskTest {
  /// Asked of the system's own program.
  static let isPermitted = [["-m", "true"], ["-Urm", "true"]].contains { arguments in
    (try? ChildProcess("unshare", arguments))?.wait() == .exited(0)
  }
}

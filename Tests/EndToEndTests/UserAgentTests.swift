import Platform
import SessionModel
import TestSupport
import Testing

private let definitions = """
  user_agent_parsers:
    - regex: '(Fox|Owl)'
  os_parsers:
    - regex: '(Linux)'
  device_parsers:
    - regex: 'bot'
      device_replacement: 'Spider'
  """

/// Raw user agents on the built program.
@Suite struct UserAgentRunTests {
  private static func event(second: Int, _ agent: String) -> String {
    """
    {"ip":"192.0.2.1","event_time":"2025-03-01T10:00:0\(second)Z","user_agent":\(agent)}

    """
  }
  private static let columns =
    "SELECT browser_family, os_family, device_family FROM sessions"

  @Test func `the first event's header counts, in whatever order they come`() throws {
    let events = [
      Self.event(second: 1, "\"Fox on Linux\""), Self.event(second: 2, "\"Owl bot\""),
      Self.event(second: 3, #"{"family":"Chrome"}"#),
    ]
    var tables: [[UInt8]] = []
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
      let bench = Workbench()
      let file = try bench.write(order.map { events[$0] }.joined(), to: "events.jsonl")
      let rules = try bench.write(definitions, to: "regexes.yaml")
      let answer = try bench.run(
        ["--file", file, "--close-all", "--user-agents", rules] + bench.sinks)
      #expect(answer.ended(.success), "\(answer.messages)")
      #expect(try SQLiteFile(bench.database).rows(Self.columns) == [["Fox", "Linux", "Other"]])
      tables.append(try TableExport.sqlite(bench.database))
    }
    #expect(Set(tables).count == 1)
  }

  @Test func `off leaves families of raw headers null; a missing file ends the start`() throws {
    let bench = Workbench()
    let file = try bench.write(Self.event(second: 1, "\"Fox\""), to: "events.jsonl")
    let run = ["--file", file, "--close-all"] + bench.sinks
    let refused = try bench.run(run + ["--user-agents", bench.path + "/none.yaml"])
    #expect(refused.ended(.configuration) && refused.messages.contains("none.yaml"))
    #expect(!Files.exists(bench.state))
    let answer = try bench.run(run + ["--user-agents", "off"])
    #expect(answer.ended(.success), "\(answer.messages)")
    #expect(try SQLiteFile(bench.database).rows(Self.columns) == [[nil, nil, nil]])
  }
}

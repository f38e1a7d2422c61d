import Platform
import SessionModel
import TestSupport
import Testing

/// `--geo mmdb:FILE` on the built program.
@Suite struct GeographyTests {
  private static func writeFile(_ bench: Workbench) throws -> String {
    var writer = MaxMindWriter()
    writer.add([203, 0, 113, 0], bits: 24, country: "DE", state: "Hessen", city: "Gießen")
    return try bench.write(writer.bytes(), to: "city.mmdb")
  }

  private static func event(_ ip: String) -> String {
    #"{"ip":"\#(ip)","url":"/","event_time":"2025-03-01T10:00:00Z"}"# + "\n"
  }

  @Test func `rows get country, state and city, and sinks and dump tell the file`() throws {
    let bench = Workbench()
    let file = try Self.writeFile(bench)
    let events = try bench.write(
      Self.event("203.0.113.9") + Self.event("::ffff:203.0.113.10") + Self.event("192.0.2.1"),
      to: "events.jsonl")
    let answer = try bench.run(
      ["--file", events, "--close-all", "--geo", "mmdb:\(file)"] + bench.sinks)
    #expect(answer.ended(.success), "\(answer.messages)")
    #expect(answer.messages.contains("Test-City, built 2023-11-14"))
    let rows = try SQLiteFile(bench.database).rows(
      "SELECT ip, country, state, city FROM sessions ORDER BY ip")
    #expect(
      rows == [
        ["192.0.2.1", nil, nil, nil], ["203.0.113.10", "DE", "Hessen", "Gießen"],
        ["203.0.113.9", "DE", "Hessen", "Gießen"],
      ])
    #expect(try TableExport.sqlite(bench.database) == TableExport.jsonl(bench.lines))
    #expect(try bench.look().contains("mmdb Test-City, built 2023-11-14T22:13:20.000000Z"))
  }

  @Test func `a file that cannot be used ends the start with 78, before a state is made`() throws {
    let bench = Workbench()
    let events = try bench.write(Self.event("203.0.113.9"), to: "events.jsonl")
    let damaged = try bench.write("damaged", to: "city.mmdb")
    for file in [damaged, bench.path + "/missing.mmdb"] {
      let answer = try bench.run(["--file", events, "--geo", "mmdb:\(file)"] + bench.sinks)
      #expect(answer.ended(.configuration))
      #expect(answer.messages.contains(file) && answer.messages.contains("--geo"))
      #expect(!Files.exists(bench.state))
    }
  }
}

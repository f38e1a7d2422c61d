import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

/// `--drop-bots` on the built program.
@Suite struct BotTests {
  /// Every third visitor is a bot, by its device, its browser or a raw header.
  private static func lines(_ numbers: Range<Int>) -> [String] {
    let agents = [
      #"{"device":{"family":"Spider"}}"#, #"{"family":"Firefox"}"#, "null",
      #"{"family":"curl"}"#, #"{"family":"Cubot Browser"}"#, #""Mozilla/5.0""#,
    ]
    return numbers.map { number in
      let visitor = number % 30
      return """
        {"user_id":\(visitor),"ip":"10.0.0.1","event_time":\(1_740_823_200 + number * 7),\
        "url":"/\(number)","user_agent":\(agents[visitor % agents.count])}
        """
    }
  }

  private static let flags = ["--gap", "1m", "--user-agents", "off", "--close-all"]

  private func rows(of bench: Workbench) throws -> [String] {
    TableExport.lines(try TableExport.jsonl(bench.lines))
  }

  private func isBot(_ line: String) -> Bool { line.contains(#""is_bot":true"#) }

  @Test func `through kills, tables hold all rows but those of bots, and files these, each once`()
    throws
  {
    let topic = try Topic(partitions: 2)
    var random = RandomNumbers(seed: 3)
    try topic.send(Self.lines(0..<12_000).map { Array($0.utf8) }, spread: &random)
    let drop = ["--out-of-orderness", "1h", "--drop-bots"]
    let bench = Workbench()
    let place = bench.path + "/bots"
    let flags =
      topic.flags + bench.sinks + drop + Self.flags.filter { $0 != "--close-all" }
      + ["--bots-to", "jsonl:\(place)", "--checkpoint-interval", "1ms"]
    for kill in 1...8 {
      let run = try bench.startRun(flags)
      try bench.wait(for: "records_read", atLeast: min(12_000, kill * 1_200), of: run)
      run.child.signal(SIGKILL)
      #expect(run.child.wait() == .killed(signal: SIGKILL))
    }
    let last = try bench.run(flags + ["--stop-at-end", "--close-all"])
    #expect(last.ended(.success), "\(last.messages)")

    let calm = Workbench()
    let without = try calm.run(
      topic.flags + calm.sinks + Self.flags + ["--out-of-orderness", "1h", "--stop-at-end"])
    #expect(without.ended(.success), "\(without.messages)")
    let all = try rows(of: calm)
    let bots = all.filter(isBot)
    #expect(bots.count > 1_000 && bots.count < all.count)
    #expect(try rows(of: bench) == all.filter { !isBot($0) })
    let files = try Files.names(in: place).filter { $0.hasPrefix("bots-") }
    #expect(try files.flatMap { TableExport.lines(try Files.read(place + "/" + $0)) } == bots)
    #expect(try bench.look("bots") == "")
    #expect(try bench.count("bot_sessions") == bots.count)
    #expect(try bench.count("sessions_closed") == all.count - bots.count)
    #expect(try bench.count("delivered") == all.count - bots.count)
    #expect(isConserved(try bench.look()))
    let verified = try bench.answer(["verify-sink", "--state", bench.state] + bench.sinks)
    #expect(verified.ended(.success), "\(verified.output)")
    #expect(try bench.answer(["check", "--state", bench.state]).ended(.success))
  }

  @Test func `without a place the state keeps bots, to be shown and purged`() throws {
    let bench = Workbench()
    let file = try bench.write(Self.lines(0..<60).joined(separator: "\n") + "\n", to: "e.jsonl")
    let run = ["--file", file] + Self.flags + bench.sinks
    let answer = try bench.run(run + ["--drop-bots"])
    #expect(answer.ended(.success), "\(answer.messages)")
    let calm = Workbench()
    #expect(try calm.run(["--file", file] + Self.flags + calm.sinks).ended(.success))
    let bots = try rows(of: calm).filter(isBot)
    #expect(bots.count == 30)
    #expect(try bench.look("bots") == bots.map { $0 + "\n" }.joined())
    #expect(answer.output.contains(", dropped as bots 30; "), "\(answer.output)")
    #expect(JSONLine.number("bots_kept", in: try bench.look()) == 30)
    let purged = try bench.answer(["purge", "bots", "--state", bench.state])
    #expect(purged.ended(.success) && purged.output == "30 sessions of bots were removed\n")
    #expect(try bench.look("bots") == "")
    #expect(try bench.count("bot_sessions") == 30)
  }

  @Test func `the run stops at the limit, before any session of a bot is lost`() throws {
    let bench = Workbench()
    let file = try bench.write(Self.lines(0..<60).joined(separator: "\n") + "\n", to: "e.jsonl")
    let run = ["--file", file, "--drop-bots"] + Self.flags + bench.sinks
    let full = try bench.run(run + ["--bots-limit", "29"])
    #expect(full.ended(.inputOutput))
    #expect(full.messages.contains("sojourn purge bots"), "\(full.messages)")
    // With a place there is no such limit.
    let answer = try bench.run(run + ["--bots-limit", "1", "--bots-to", "jsonl:\(bench.path)/b"])
    #expect(answer.ended(.success), "\(answer.messages)")
    #expect(try bench.count("bot_sessions") == 30)
  }

  @Test func `reading pauses at the limit while the place is away, and then goes on`() throws {
    let bench = Workbench()
    let file = try bench.write(
      Self.lines(0..<20_000).joined(separator: "\n") + "\n", to: "e.jsonl")
    let place = bench.path + "/away"
    let run = try bench.startRun(
      ["--file", file, "--drop-bots", "--bots-limit", "50", "--bots-to", "jsonl:\(place)/bots"]
        + ["--checkpoint-interval", "1ms", "--out-of-orderness", "0"] + Self.flags + bench.sinks)
    try eventually("a pause; \(run.said)") { run.said.contains("reading pauses: ") ? () : nil }
    let read = try bench.count("records_read")
    try Files.makeDirectory(place)
    let answer = try run.answer()
    #expect(answer.ended(.success), "\(answer.messages)")
    #expect(answer.messages.contains("sessions of bots are written again after: "))
    #expect(try read < 20_000 && bench.count("records_read") == 20_000)
    #expect(try bench.count("bot_sessions") == 10_000)
  }

  @Test func `a state and a table keep to it`() throws {
    let bench = Workbench()
    let file = try bench.write(Self.lines(0..<6).joined(separator: "\n") + "\n", to: "e.jsonl")
    let run = ["--file", file] + Self.flags + bench.sinks
    #expect(try bench.run(run).ended(.success))
    let other = try bench.run(run + ["--drop-bots"])
    #expect(other.ended(.configuration))
    #expect(other.messages.contains("drop_bots 'off', not 'on'"), "\(other.messages)")
    let table = try bench.answer(
      ["run", "--state", bench.path + "/other"] + run + ["--drop-bots"])
    #expect(table.ended(.configuration) && table.messages.contains("drop_bots=on"))
  }
}

import KafkaClient
import SessionModel
import TestSupport
import Testing

/// Settings that may change from run to run: the state keeps them, and a start says what changed.
@Suite struct KeptSettingsTests {
  private static let said = "settings have changed since checkpoint"

  @Test func `a start says which settings have changed, and the next one does not`() throws {
    let bench = Workbench()
    let file = try bench.write(twoVisitors, to: "events.jsonl")
    let run = ["--file", file] + bench.sinks
    let changed = [
      "--out-of-orderness", "2m", "--max-future-skew", "off", "--max-drift", "1h30m",
      "--idle-timeout", "30s", "--field", #"url=page.a\.b"#,
    ]
    let first = try bench.run(run)
    #expect(first.ended(.success) && !first.messages.contains(Self.said), "\(first.messages)")
    let second = try bench.run(run + changed)
    #expect(second.ended(.success))
    for change in [
      "out-of-orderness was 1m, is 2m", "max-future-skew was 10m, is off",
      "max-drift was 10m, is 1h30m", "idle-timeout was 1m, is 30s",
      #"field url was url, is page.a\.b"#,
    ] {
      #expect(second.messages.contains(change), "\(second.messages)")
    }
    #expect(!second.messages.contains("field ip") && !second.messages.contains("assume-utc"))
    let third = try bench.run(run + changed)
    #expect(third.ended(.success) && !third.messages.contains(Self.said), "\(third.messages)")
    #expect(try bench.look().contains(#""out-of-orderness":"2m""#))
  }

  @Test func `a run that made no checkpoint leaves the settings as they were`() throws {
    let bench = Workbench()
    let file = try bench.write(twoVisitors, to: "events.jsonl")
    let run = ["--file", file] + bench.sinks
    #expect(try bench.run(run).ended(.success))
    let refused = try bench.run(run + ["--out-of-orderness", "2m", "--gap", "1m"])
    #expect(refused.ended(.configuration))
    let answer = try bench.run(run)
    #expect(answer.ended(.success) && !answer.messages.contains(Self.said), "\(answer.messages)")
  }

  @Test func `another cluster with the same log is told once, one with another log is refused`()
    throws
  {
    let bench = Workbench()
    let old = try Topic(partitions: 2)
    let new = try Topic(partitions: 2)
    let foreign = try Topic(partitions: 2)
    for (topic, user) in [(old, 1), (new, 1), (foreign, 2)] {
      for second in 0..<10 {
        try topic.send(
          Array(event(user: user, at: second).utf8), partition: Int32(second % 2),
          timestamp: 1_740_823_300_000)
      }
      try topic.flush()
    }
    let more = bench.sinks + ["--stop-at-end"]
    #expect(try bench.run(old.flags + more).ended(.success))
    let moved = try bench.run(new.flags + more)
    #expect(moved.ended(.success), "\(moved.messages)")
    #expect(moved.messages.contains("the state was read from"))
    let again = try bench.run(new.flags + more)
    #expect(again.ended(.success) && !again.messages.contains("the state was read from"))
    #expect(try bench.count("records_read") == 10)
    let before = try bench.dump()
    let refused = try bench.run(foreign.flags + more)
    #expect(refused.ended(.inputLost), "\(refused.messages)")
    #expect(refused.messages.contains("--on-data-loss continue"))
    #expect(try bench.dump() == before)
  }
}

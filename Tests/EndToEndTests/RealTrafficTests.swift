import KafkaClient
import Platform
import SessionModel
import TestSupport
import Testing

private func expectRealSessions(_ bench: Workbench, _ answer: Answer) throws {
  #expect(answer.ended(.success), "\(answer.messages)")
  #expect(isConserved(answer.output), "\(answer.output)")
  let summary = try bench.look()
  #expect(isConserved(summary))
  #expect(JSONLine.number("records_read", in: summary) == RealTraffic.eventCount)
  #expect(JSONLine.number("late", in: summary) == 0)
  #expect(JSONLine.number("rejected", in: summary) == 0)
  #expect(JSONLine.number("open_sessions", in: summary) == 0)
  #expect(JSONLine.number("outbox_rows", in: summary) == 0)
  #expect(JSONLine.number("delivered", in: summary) == RealTraffic.sessionCount)
  let expected = try RealTraffic.expectedSessions()
  #expect(expected.count == RealTraffic.sessionCount)
  #expect(try RealTraffic.sessions(inTable: bench.database) == expected)
  #expect(try TableExport.sqlite(bench.database) == TableExport.jsonl(bench.lines))
}

private let toTheEnd = ["--stop-at-end", "--close-all", "--output", "json"]

@Suite(.enabled(if: RealTraffic.isThere, Comment(rawValue: RealTraffic.whyNot)))
struct RealTrafficTests {
  @Test func `real traffic from one partition gives Spark's sessions`() throws {
    let bench = Workbench()
    let broker = try bench.start(["broker", "--topic", "web:1"])
    let target = ["--brokers", try broker.firstLine(), "--topic", "web"]
    let feed = try bench.answer(["generate", "--file", RealTraffic.path] + target)
    #expect(feed.ended(.success), "\(feed.messages)")
    try expectRealSessions(bench, bench.run(target + bench.sinks + toTheEnd))
    broker.child.signal(15)
    #expect(broker.child.wait() == .exited(0))
  }

  @Test func `real traffic spread over four partitions by random keys gives the same sessions`()
    throws
  {
    let bench = Workbench()
    let topic = try Topic(partitions: 4)
    var random = RandomNumbers(seed: 4)
    for event in try RealTraffic.events() {
      try topic.producer.produce(
        topic: Topic.name, key: "\(random.next())", text: String(decoding: event, as: UTF8.self))
    }
    try topic.flush()
    try expectRealSessions(bench, bench.run(topic.flags + bench.sinks + toTheEnd))
    let offsets = try bench.look("offsets").split(separator: "\n")
    let next = offsets.compactMap { JSONLine.number("next_offset", in: String($0)) }
    #expect(next.count == 4)
    #expect(next.allSatisfy { $0 > 2_000 })
  }

  @Test func `real traffic from a file gives the same sessions`() throws {
    let bench = Workbench()
    try expectRealSessions(
      bench, bench.run(["--file", RealTraffic.path] + bench.sinks + toTheEnd))
  }
}

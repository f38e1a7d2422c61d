import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

/// What happens to the state directory half way.
enum StateLoss: CaseIterable {
  case deleted
  case replacedByAnOlderCopy
}

@Suite(.enabled(if: RealTraffic.isThere, Comment(rawValue: RealTraffic.whyNot)))
struct LostStateTests {
  // Idle partitions and quiet close go by a clock: what they decided is not derived again.
  private static let pure = [
    "--idle-timeout", "off", "--quiet-close", "off", "--checkpoint-interval", "10ms",
  ]

  @Test(arguments: StateLoss.allCases)
  func `a lost or old state derives the same rows, and skips those that the sinks hold`(
    loss: StateLoss
  ) throws {
    let bench = Workbench()
    let topic = try Topic(partitions: 4)
    let events = try RealTraffic.events()
    var random = RandomNumbers(seed: 7)
    try topic.send(events[..<3_000], spread: &random)
    try readAndKill(bench, topic, at: 3_000, delivered: 100)
    let deliveredBefore = try #require(JSONLine.number("delivered", in: try bench.look()))
    let older = bench.path + "/older"
    try bench.copy(bench.state, to: older)
    try topic.send(events[3_000..<6_500], spread: &random)
    // More than before: the sinks must be ahead of the older copy.
    try readAndKill(bench, topic, at: 6_500, delivered: deliveredBefore + 100)
    let held = TableExport.lines(try TableExport.sqlite(bench.database)).count
    #expect(held > 100)

    TemporaryDirectory.remove(bench.state)
    if loss == .replacedByAnOlderCopy { try bench.copy(older, to: bench.state) }
    try topic.send(events[6_500...], spread: &random)
    let toTheEnd = topic.flags + Self.pure + ["--stop-at-end", "--close-all"]
    let answer = try bench.run(toTheEnd + bench.sinks)
    #expect(answer.ended(.success), "\(answer.messages)")
    let summary = try bench.look()
    #expect(isConserved(summary))
    #expect(JSONLine.number("records_read", in: summary) == RealTraffic.eventCount)
    #expect(try #require(JSONLine.number("skipped", in: summary)) > 0)

    let calm = Workbench()
    #expect(try calm.run(toTheEnd + calm.sinks).ended(.success))
    let table = try TableExport.sqlite(calm.database)
    #expect(TableExport.lines(table).count == RealTraffic.sessionCount)
    #expect(try TableExport.sqlite(bench.database) == table)
    #expect(try TableExport.jsonl(bench.lines) == table)
  }

  /// Reads all that the topic holds, delivers some of it, and dies.
  private func readAndKill(
    _ bench: Workbench, _ topic: Topic, at records: Int, delivered: Int
  ) throws {
    let run = try bench.startRun(topic.flags + Self.pure + bench.sinks)
    try bench.wait(for: "records_read", atLeast: records, of: run)
    try bench.wait(for: "delivered", atLeast: delivered, of: run)
    run.child.signal(SIGKILL)
    #expect(run.child.wait() == .killed(signal: SIGKILL))
  }
}

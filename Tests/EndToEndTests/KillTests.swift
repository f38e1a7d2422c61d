import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

/// Feeds a topic piece by piece, and kills a run again and again while it reads.
private struct KillDrill {
  static let kills = 50
  let bench = Workbench()
  let topic: Topic
  let events: [[UInt8]]
  var random: RandomNumbers
  var sent = 0
  /// Kills after which the next start had to go on in the middle.
  var resumedInTheMiddle = 0

  init(seed: UInt64) throws {
    topic = try Topic(partitions: 4)
    events = try RealTraffic.events()
    random = RandomNumbers(seed: seed)
  }

  /// The feed is throttled by its reader: between two looks at what was read it sends up to 80
  /// events, so that a slow machine does not let it run ahead of the kills.
  mutating func feed(upTo target: Int) throws {
    let count = min(target - sent, 1 + random.below(80))
    try topic.send(events[sent..<(sent + count)], spread: &random)
    sent += count
  }

  /// Sends half of the way to `target`, starts a run, sends the rest while that reads, kills it.
  mutating func killOnce(after target: Int) throws {
    let halfWay = sent + max(0, target - sent) / 2
    while sent < halfWay { try feed(upTo: halfWay) }
    let before = try bench.count("records_read")
    let unread = sent - before
    let run = try bench.startRun(topic.flags + bench.sinks + ["--checkpoint-interval", "10ms"])
    // One in five dies whatever it has done, perhaps before it has read anything.
    if unread > 0, !random.oneIn(5) {
      try bench.wait(for: "records_read", atLeast: before + 1 + random.below(unread), of: run)
    }
    while sent < target { try feed(upTo: target) }
    usleep(UInt32(random.below(20_000)))
    #expect(run.child.poll() == nil, "\(run.said)")
    run.child.signal(SIGKILL)
    #expect(run.child.wait() == .killed(signal: SIGKILL))
    try check()
  }

  /// What the dead process left adds up.
  private mutating func check() throws {
    guard let summary = try bench.dump() else { return }
    #expect(isConserved(summary), "\(summary)")
    let closed = JSONLine.number("sessions_closed", in: summary)
    let delivered = try #require(JSONLine.number("delivered", in: summary))
    #expect(closed == delivered + (JSONLine.number("outbox_rows", in: summary) ?? 0))
    let read = try #require(JSONLine.number("records_read", in: summary))
    let offsets = try bench.look("offsets").split(separator: "\n")
    let next = offsets.compactMap { JSONLine.number("next_offset", in: String($0)) }
    #expect(next.reduce(0, +) == read)
    if next.contains(where: { $0 > 0 }), read < events.count { resumedInTheMiddle += 1 }
  }
}

@Suite(.enabled(if: RealTraffic.isThere, Comment(rawValue: RealTraffic.whyNot)))
struct KillTests {
  @Test(arguments: [20_150_517])
  func `fifty kills leave the table and the files of an uninterrupted run`(seed: UInt64) throws {
    var drill = try KillDrill(seed: seed)
    var targets = (0..<KillDrill.kills).map { _ in 100 + drill.random.below(9_800) }
    targets.sort()
    for target in targets { try drill.killOnce(after: target) }
    while drill.sent < drill.events.count { try drill.feed(upTo: drill.events.count) }
    #expect(drill.resumedInTheMiddle >= 40)

    let toTheEnd = drill.topic.flags + ["--stop-at-end", "--close-all", "--output", "json"]
    let last = try drill.bench.run(toTheEnd + drill.bench.sinks)
    #expect(last.ended(.success), "\(last.messages)")
    #expect(isConserved(last.output), "\(last.output)")
    #expect(JSONLine.number("records_read", in: last.output) == RealTraffic.eventCount)

    let calm = Workbench()
    let uninterrupted = try calm.run(toTheEnd + calm.sinks)
    #expect(uninterrupted.ended(.success), "\(uninterrupted.messages)")
    let table = try TableExport.sqlite(calm.database)
    #expect(TableExport.lines(table).count == RealTraffic.sessionCount)
    #expect(try TableExport.sqlite(drill.bench.database) == table)
    #expect(try TableExport.jsonl(drill.bench.lines) == TableExport.jsonl(calm.lines))
    #expect(try TableExport.jsonl(drill.bench.lines) == table)
  }
}

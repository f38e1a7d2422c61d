import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

/// Sinks that fail under a running job: they are waited for, or the run says what was done to them.
private final class SinkDrill {
  static let limit = 10
  let bench = Workbench()
  let topic: Topic
  private var visitor = 0

  init() throws { topic = try Topic(partitions: 2) }

  /// Sends visitors an hour apart, each in both partitions: each closes the session before.
  func send(_ count: Int) throws {
    for _ in 0..<count {
      visitor += 1
      for partition in 0..<2 {
        try topic.send(
          event(user: visitor, ip: "10.0.0.\(partition)", at: visitor * 3_600),
          partition: Int32(partition))
      }
    }
    try topic.flush()
  }

  func start(_ sinks: [String], _ more: [String] = []) throws -> StartedCommand {
    try bench.startRun(
      topic.flags + sinks.flatMap { ["--sink", $0] }
        + ["--outbox-limit", "\(Self.limit)", "--checkpoint-interval", "10ms"] + more)
  }

  /// Waits until the outbox is full and reading pauses.
  func waitForPause(of run: StartedCommand) throws {
    try bench.wait(for: "outbox_rows", atLeast: Self.limit, of: run)
    try waitFor("reading pauses", saidBy: run)
  }

  func waitFor(_ words: String, saidBy run: StartedCommand) throws {
    try eventually("\(words): \(run.said)") {
      if let end = run.child.poll() {
        throw TimedOut(description: "the run ended, \(end): \(run.said)")
      }
      return run.said.contains(words) ? () : nil
    }
  }

  /// Waits until all that was sent is read and every row delivered, then ends the run.
  func finish(_ run: StartedCommand) throws {
    try bench.wait(for: "records_read", atLeast: 2 * visitor, of: run)
    try bench.wait(for: "delivered", atLeast: 2 * (visitor - 1), of: run)
    run.child.signal(SIGTERM)
    let answer = try run.answer()
    #expect(answer.ended(.success), "\(answer.messages)")
    #expect(isConserved(try bench.look()))
  }

  /// Compares the sinks with those of a run that nothing stood in the way of.
  func compare(database: String? = nil, lines: String? = nil) throws {
    let calm = Workbench()
    let answer = try calm.run(topic.flags + calm.sinks + ["--stop-at-end"])
    #expect(answer.ended(.success), "\(answer.messages)")
    let table = try TableExport.sqlite(calm.database)
    #expect(TableExport.lines(table).count == 2 * (visitor - 1))
    for found in try [
      database.map { try TableExport.sqlite($0) }, lines.map { try TableExport.jsonl($0) },
    ] {
      #expect(found.flatMap { TableExport.difference($0, from: table) } == nil)
    }
  }
}

@Suite struct SinkFaultTests {
  @Test(arguments: ["sqlite", "jsonl"])
  func `a sink that is down at the start pauses reading at the bound and gets every row later`(
    scheme: String
  ) throws {
    let drill = try SinkDrill()
    let above = drill.bench.path + "/mount"
    try drill.send(60)
    let run = try drill.start(["\(scheme):\(above)/it"])
    try drill.waitForPause(of: run)
    // The session with the brokers stays: what is sent meanwhile is read without a new connection.
    try drill.send(60)
    #expect(try drill.bench.count("records_read") <= 120)
    try Files.makeDirectory(above)
    try drill.finish(run)
    #expect(run.said.contains("is back after"))
    #expect(run.said.contains("reading goes on"))
    try drill.compare(
      database: scheme == "sqlite" ? above + "/it" : nil,
      lines: scheme == "jsonl" ? above + "/it" : nil)
  }

  @Test func `a directory that goes and comes back in the middle costs no row`() throws {
    let drill = try SinkDrill()
    let lines = drill.bench.lines
    try drill.send(20)
    let run = try drill.start(["jsonl:\(lines)"])
    try drill.bench.wait(for: "delivered", atLeast: 2, of: run)
    #expect(rename(lines, lines + ".away") == 0)
    try drill.send(60)
    try drill.waitForPause(of: run)
    #expect(rename(lines + ".away", lines) == 0)
    try drill.finish(run)
    try drill.compare(lines: lines)
  }

  @Test(arguments: ["sqlite", "jsonl"])
  func `a sink with rows that is away at a start is waited for, and not made anew`(
    scheme: String
  ) throws {
    let drill = try SinkDrill()
    let (place, away) = (drill.bench.path + "/it", drill.bench.path + "/away")
    try drill.send(20)
    try drill.finish(try drill.start(["\(scheme):\(place)"]))
    for suffix in ["", "-wal", "-shm"] { rename(place + suffix, away + suffix) }
    try drill.send(60)
    let run = try drill.start(["\(scheme):\(place)"])
    try drill.waitForPause(of: run)
    #expect(run.said.contains("is not there, though the state has delivered rows to it"))
    #expect(!Files.exists(place))
    for suffix in ["", "-wal", "-shm"] { rename(away + suffix, place + suffix) }
    try drill.finish(run)
    try drill.compare(
      database: scheme == "sqlite" ? place : nil, lines: scheme == "jsonl" ? place : nil)
  }

  @Test(arguments: ["sqlite", "jsonl"])
  func `a sink that another process keeps locked is waited for`(scheme: String) throws {
    let drill = try SinkDrill()
    let bench = drill.bench
    let place = scheme == "sqlite" ? bench.database : bench.lines
    try drill.send(20)
    let run = try drill.start(["\(scheme):\(place)"])
    try bench.wait(for: "delivered", atLeast: 2, of: run)
    if scheme == "sqlite" {
      let other = try SQLiteFile(bench.database)
      try other.run("BEGIN IMMEDIATE")
      try drill.send(60)
      try drill.waitForPause(of: run)
      try other.run("ROLLBACK")
    } else {
      let owner = try FileDescriptor.open(bench.lines + "/_owner", O_RDWR)
      #expect(try owner.lock(wait: true))
      try drill.send(60)
      try drill.waitForPause(of: run)
      owner.unlock()
    }
    try drill.finish(run)
    try drill.compare(
      database: scheme == "sqlite" ? place : nil, lines: scheme == "jsonl" ? place : nil)
  }

  @Test func `slow sinks get every row`() throws {
    let job = try SmallJob()
    let input = TemporaryDirectory(inMemory: true)
    let files = try SmallTraffic.write(files: 6, to: input.path)
    let calm = try job.outcome(of: job.answer(job.run(files)), "the calm run")
    let slow = try SmallJob()
    var plan = FaultPlan(paths: [slow.path + "/table", slow.path + "/files"], log: slow.log)
    plan.delay = 20_000
    let answer = try slow.answer(slow.run(files, ["--outbox-limit", "3"], every: "1ms"), plan)
    #expect(plan.calls().isEmpty == false)
    try slow.expect(calm, after: answer, "slow sinks")
  }

  @Test func `a run whose sink is down ends at a signal with all that it read in the state`() throws
  {
    let drill = try SinkDrill()
    try drill.send(60)
    let run = try drill.start(
      ["sqlite:\(drill.bench.path)/missing/t.db"], ["--shutdown-timeout", "100ms"])
    try drill.waitForPause(of: run)
    run.child.signal(SIGTERM)
    let answer = try run.answer()
    #expect(answer.ended(.unavailable), "\(answer.messages)")
    #expect(answer.messages.contains("The state is safe and keeps them"))
    #expect(isConserved(try drill.bench.look()))
    try Files.makeDirectory(drill.bench.path + "/missing")
    try drill.finish(try drill.start(["sqlite:\(drill.bench.path)/missing/t.db"]))
    try drill.compare(database: drill.bench.path + "/missing/t.db")
  }

  @Test func `a second signal ends a run at once that waits for its sink`() throws {
    let drill = try SinkDrill()
    try drill.send(60)
    let run = try drill.start(
      ["sqlite:\(drill.bench.path)/missing/t.db"], ["--shutdown-timeout", "1h"])
    try drill.waitForPause(of: run)
    run.child.signal(SIGTERM)
    try drill.waitFor("a second signal ends it at once", saidBy: run)
    run.child.signal(SIGTERM)
    #expect(run.child.wait() == .exited(128 + SIGTERM))
  }

  @Test func `two sinks on one table are refused, naming both`() throws {
    let bench = Workbench()
    let file = try bench.write(twoVisitors, to: "events.jsonl")
    let answer = try bench.run(
      ["--file", file, "--sink", "one=jsonl:\(bench.lines)"]
        + ["--sink", "two=jsonl:\(bench.path)/./lines/"])
    #expect(answer.ended(.usage), "\(answer.messages)")
    #expect(answer.messages.contains("the sinks one and two lead to the same table"))
    #expect(!Files.exists(bench.state))
  }
}

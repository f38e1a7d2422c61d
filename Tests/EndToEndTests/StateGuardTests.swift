import Glibc
import KafkaClient
import Platform
import SessionModel
import TestSupport
import Testing

/// Two visitors an hour apart: the second's event closes the first's session.
let twoVisitors = event(user: 1, at: 0) + "\n" + event(user: 2, at: 3_600) + "\n"

@Test func `a second run on a state is refused at once, and the first goes on`() throws {
  let bench = Workbench()
  let topic = try Topic(partitions: 1)
  try topic.send(event(at: 0))
  try topic.flush()
  let flags = topic.flags + bench.sinks + ["--checkpoint-interval", "10ms"]
  let first = try bench.startRun(flags)
  try bench.wait(for: "records_read", atLeast: 1, of: first)
  let second = try bench.run(flags)
  #expect(second.ended(.stateLocked), "\(second.messages)")
  #expect(second.messages.contains(bench.state))
  try topic.send(event(at: 1))
  try topic.flush()
  try bench.wait(for: "records_read", atLeast: 2, of: first)
  first.child.signal(SIGTERM)
  #expect(try first.answer().ended(.success))
}

@Test func `a copied state running beside it on one table makes the older process stop`() throws {
  let bench = Workbench()
  let topic = try Topic(partitions: 1)
  let flags =
    topic.flags + ["--sink", "sqlite:\(bench.database)", "--checkpoint-interval", "10ms"]
  try topic.send(event(user: 1, at: 0))
  try topic.flush()
  #expect(try bench.run(flags + ["--stop-at-end"]).ended(.success))
  let copy = bench.path + "/copy"
  try bench.copy(bench.state, to: copy)

  let older = try bench.startRun(flags)
  try topic.send(event(user: 2, at: 60))
  try topic.flush()
  try bench.wait(for: "records_read", atLeast: 2, of: older)
  let newer = try bench.start(["run", "--state", copy] + flags)
  try eventually("record read by the copy; \(newer.said)") {
    let summary = try bench.answer(["dump", "--state", copy, "--output", "json"]).output
    return JSONLine.number("records_read", in: summary) ?? 0 >= 2 ? () : nil
  }
  // Closes two sessions in both.
  try topic.send(event(user: 3, at: 3_600))
  try topic.flush()
  let end = try older.answer()
  #expect(end.ended(.takenOver), "\(end.messages)")
  #expect(end.messages.contains("another process has taken it over"))
  try eventually("rows of the newer process") {
    try SQLiteFile(bench.database).rows("SELECT 1 FROM sessions").count == 2 ? () : nil
  }
  newer.child.signal(SIGTERM)
  #expect(try newer.answer().ended(.success))
}

@Test func `another gap is refused, naming both`() throws {
  let bench = Workbench()
  let file = try bench.write(twoVisitors, to: "events.jsonl")
  let run = ["--file", file] + bench.sinks
  #expect(try bench.run(run).ended(.success))
  let before = try bench.dump()
  let answer = try bench.run(run + ["--gap", "10m"])
  #expect(answer.ended(.configuration), "\(answer.messages)")
  #expect(answer.messages.contains("300000000"))
  #expect(answer.messages.contains("600000000"))
  #expect(try bench.dump() == before)
}

@Test func `another topic is refused, naming both`() throws {
  let bench = Workbench()
  let topic = try Topic(partitions: 1)
  try topic.cluster.createTopic("shop", partitions: 1)
  let run = { (name: String) in
    try bench.run(
      ["--brokers", topic.cluster.brokers, "--topic", name, "--job", "one", "--stop-at-end"]
        + bench.sinks)
  }
  #expect(try run("web").ended(.success))
  let answer = try run("shop")
  #expect(answer.ended(.configuration), "\(answer.messages)")
  #expect(answer.messages.contains("web"))
  #expect(answer.messages.contains("shop"))
}

@Test func `a table of another job is refused, naming both`() throws {
  let bench = Workbench()
  let file = try bench.write(twoVisitors, to: "events.jsonl")
  let run = { (job: String) in
    try bench.answer(
      ["run", "--file", file, "--job", job, "--state", "\(bench.path)/\(job)"]
        + ["--sink", "sqlite:\(bench.database)"])
  }
  #expect(try run("morning").ended(.success))
  let answer = try run("evening")
  #expect(answer.ended(.configuration), "\(answer.messages)")
  #expect(answer.messages.contains("\"morning\""))
  #expect(answer.messages.contains("\"evening\""))
}

@Test func `an unknown topic is a configuration that cannot work`() throws {
  let bench = Workbench()
  let topic = try Topic(partitions: 1)
  // The embedded cluster makes a topic that is asked for; a broker that does not answers so.
  topic.cluster.setTopicError("wbe", code: 3)
  let answer = try bench.run(
    ["--brokers", topic.cluster.brokers, "--topic", "wbe"] + bench.sinks)
  #expect(answer.ended(.configuration), "\(answer.messages)")
  #expect(answer.messages.contains("topic wbe does not exist"))
}

@Test(arguments: [SIGTERM, SIGINT])
func `a signal ends a run cleanly, with all that it read durable and delivered`(
  signal: Int32
) throws {
  let bench = Workbench()
  let topic = try Topic(partitions: 1)
  try topic.send(event(user: 1, at: 0))
  try topic.flush()
  let run = try bench.startRun(
    topic.flags + bench.sinks + ["--checkpoint-interval", "1s", "--output", "json"])
  try bench.wait(for: "records_read", atLeast: 1, of: run)
  for visitor in 2...400 { try topic.send(event(user: visitor, at: visitor * 60)) }
  try topic.flush()
  run.child.signal(signal)
  let answer = try run.answer()
  #expect(answer.ended(.success), "\(answer.messages)")
  #expect(isConserved(answer.output), "\(answer.output)")
  let summary = try bench.look()
  for name in ["records_read", "sessions_closed", "delivered", "checkpoint"] {
    #expect(JSONLine.number(name, in: summary) == JSONLine.number(name, in: answer.output))
  }
  #expect(JSONLine.number("outbox_rows", in: summary) == 0)
  #expect(JSONLine.number("closing_sessions", in: summary) == 0)
  let table = try TableExport.sqlite(bench.database)
  #expect(TableExport.lines(table).count == JSONLine.number("delivered", in: summary))
  #expect(try TableExport.jsonl(bench.lines) == table)

  #expect(try bench.run(topic.flags + bench.sinks + ["--stop-at-end"]).ended(.success))
  #expect(try bench.count("records_read") == 400)
  #expect(try bench.count("late") == 0)
}

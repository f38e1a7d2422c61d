import Glibc
import KafkaClient
import Platform
import SessionModel
import TestSupport
import Testing

@Test func `a broker that is down for longer than the idle time-out makes nothing late or closed`()
  async throws
{
  let bench = Workbench()
  let topic = try Topic(partitions: 2)
  // After the outage the producer is back long before the reader asks for the ends again.
  let slowly = ["reconnect.backoff.ms=2000", "reconnect.backoff.max.ms=2000"]
  let run = try bench.startRun(
    topic.flags + bench.sinks + slowly.flatMap { ["-X", $0] }
      + ["--idle-timeout", "1s", "--quiet-close", "100ms", "--checkpoint-interval", "10ms"])
  // Partition 0 is ten minutes ahead: were 1 idle, its visitor's session would close.
  try topic.send(event(user: 1, at: 600), partition: 0)
  var sent = 1
  try eventually("record read; \(run.said)") {
    // Both partitions stay busy until the outage begins.
    try topic.send(event(user: 1, at: 600), partition: 0)
    try topic.send(event(user: 2, at: 0), partition: 1)
    try topic.flush()
    sent += 2
    return try bench.count("records_read") >= 10 ? () : nil
  }
  try topic.cluster.setDown(1)
  // A question that nobody answers is given up after about 10 s: only then does it say nothing.
  let longAfter = Clock.monotonic + 13 * .perSecond
  while Clock.monotonic < longAfter { try await Task.sleep(for: .milliseconds(50)) }
  var summary = try bench.look()
  for name in ["sessions_closed", "late", "idlings", "flushes"] {
    #expect(JSONLine.number(name, in: summary) == 0, "\(name) during the outage")
  }
  // What partition 1's visitor does next belongs to the open session.
  try topic.cluster.setUp(1)
  try topic.reconnect()
  for second in 1...20 { try topic.send(event(user: 2, at: second), partition: 1) }
  try topic.flush()
  try bench.wait(for: "records_read", atLeast: sent + 20, of: run)
  summary = try bench.look()
  #expect(JSONLine.number("late", in: summary) == 0, "\(summary)")
  #expect(JSONLine.number("events_in_sessions", in: summary) == sent + 20)
  // With the broker back, silence is silence again: everything closes.
  try bench.wait(for: "delivered", atLeast: 2, of: run)
  run.child.signal(SIGTERM)
  #expect(try run.answer().ended(.success))
  let counts = try SQLiteFile(bench.database).rows(
    "SELECT user_id, session_end FROM sessions ORDER BY user_id")
  #expect(counts.map { $0[0] } == ["1", "2"])
  #expect(counts.last?[1] == "2025-03-01T10:00:20.000000Z")
}

@Test func `a silent partition lets the others' sessions close, but not the last ones`() throws {
  let bench = Workbench()
  let topic = try Topic(partitions: 2)
  let run = try bench.startRun(
    topic.flags + bench.sinks
      + ["--idle-timeout", "200ms", "--quiet-close", "off", "--checkpoint-interval", "10ms"])
  try topic.send(event(user: 1, at: 0), partition: 0)
  try eventually("closed session; \(run.said)") {
    // Partition 0 stays busy: were all idle at once, the watermark would stay where it is.
    try topic.send(event(user: 2, at: 3_600), partition: 0)
    try topic.flush()
    return try bench.count("delivered") >= 1 ? () : nil
  }
  let summary = try bench.look()
  #expect(try #require(JSONLine.number("idlings", in: summary)) >= 1)
  #expect(JSONLine.number("open_sessions", in: summary) == 1)
  #expect(JSONLine.number("sessions_closed", in: summary) == 1)
  #expect(JSONLine.number("sessions_closed_by_flush", in: summary) == 0)
  run.child.signal(SIGTERM)
  #expect(try run.answer().ended(.success))
}

@Test func `after a quiet time the last sessions close, and a newer event is not late`() throws {
  let bench = Workbench()
  let topic = try Topic(partitions: 2)
  let run = try bench.startRun(
    topic.flags + bench.sinks
      + ["--idle-timeout", "200ms", "--quiet-close", "200ms", "--checkpoint-interval", "10ms"])
  try topic.send(event(user: 1, at: 0), partition: 0)
  try topic.flush()
  try bench.wait(for: "delivered", atLeast: 1, of: run)
  #expect(try bench.count("sessions_closed_by_flush") == 1)
  #expect(try bench.count("open_sessions") == 0)
  try topic.send(event(user: 1, at: 1), partition: 1)
  try topic.flush()
  try bench.wait(for: "delivered", atLeast: 2, of: run)
  #expect(try bench.count("late") == 0)
  run.child.signal(SIGTERM)
  #expect(try run.answer().ended(.success))
}

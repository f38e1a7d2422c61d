import Platform
import SessionModel
import TestSupport
import Testing

/// A record that is no event, and what the state is to say of it.
struct BadRecord: CustomTestStringConvertible {
  let reason: RejectReason
  let field: EventField?
  let value: [UInt8]?

  init(_ reason: RejectReason, in field: EventField? = nil, _ value: String?) {
    self.init(reason, in: field, bytes: value.map { Array($0.utf8) })
  }

  init(_ reason: RejectReason, in field: EventField? = nil, bytes: [UInt8]?) {
    self.reason = reason
    self.field = field
    value = bytes
  }

  var testDescription: String { reason.code }

  /// One of each kind that both files and topics can hold.
  static let anywhere: [BadRecord] = [
    BadRecord(.notJSON, "GET / HTTP/1.1"),
    BadRecord(.notJSON, #"{"ip":"10.0.0.1","event_time":1740823200"#),
    BadRecord(.notObject, #"["10.0.0.1",1740823200]"#),
    BadRecord(.notObject, "null"),
    BadRecord(.missingIP, in: .ip, #"{"user_id":1,"event_time":1740823200}"#),
    BadRecord(.missingTime, in: .eventTime, #"{"user_id":1,"ip":"10.0.0.1"}"#),
    BadRecord(.wrongType, in: .userID, #"{"user_id":1.5,"ip":"10.0.0.1","event_time":1740823200}"#),
    BadRecord(.wrongType, in: .ip, #"{"user_id":1,"ip":[],"event_time":1740823200}"#),
    BadRecord(.wrongType, in: .eventTime, #"{"user_id":1,"ip":"10.0.0.1","event_time":true}"#),
    BadRecord(.badText, bytes: with("url", [0x22, 0xFF, 0xC3, 0x22])),
    BadRecord(.tooDeep, bytes: with("headers", nested(10_000))),
    BadRecord(.tooLarge, bytes: with("headers", [UInt8](repeating: 0x31, count: 1_100_000))),
  ]

  /// An event with one more member.
  private static func with(_ name: String, _ value: [UInt8]) -> [UInt8] {
    var bytes = Array(#"{"ip":"10.0.0.1","event_time":1740823200,""#.utf8)
    bytes += name.utf8
    bytes += #"":"#.utf8
    bytes += value
    bytes += "}".utf8
    return bytes
  }

  private static func nested(_ depth: Int) -> [UInt8] {
    [UInt8](repeating: UInt8(ascii: "["), count: depth)
      + [UInt8](repeating: UInt8(ascii: "]"), count: depth)
  }

  static let year2099 = #"{"ip":"10.0.0.1","event_time":"2099-01-01T00:00:00Z"}"#
}

/// Checks that each bad record is kept with its place and reason, and that the good ones between
/// them became the one session.
private func expectRejected(
  _ bad: [BadRecord], at offsets: [Int], goodEvents: Int, _ bench: Workbench, _ answer: Answer
) throws {
  #expect(answer.ended(.success), "\(answer.messages)")
  #expect(isConserved(answer.output), "\(answer.output)")
  let kept = try bench.look("rejected").split(separator: "\n").map(String.init)
  #expect(kept.count == bad.count)
  for ((record, offset), line) in zip(zip(bad, offsets), kept) {
    #expect(JSONLine.number("partition", in: line) == 0)
    #expect(JSONLine.number("offset", in: line) == offset)
    #expect(JSONLine.text("reason", in: line) == record.reason.code, "\(line.prefix(300))")
    #expect(JSONLine.text("field", in: line) == record.field?.name, "\(line.prefix(300))")
    #expect(JSONLine.number("value_length", in: line) == record.value?.count ?? -1)
  }
  let summary = try bench.look()
  #expect(JSONLine.number("rejected", in: summary) == bad.count)
  #expect(JSONLine.number("events_in_sessions", in: summary) == goodEvents)
  let sessions = try SQLiteFile(bench.database).rows("SELECT event_count FROM sessions")
  #expect(sessions == [["\(goodEvents)"]])
}

private let toTheEnd = ["--stop-at-end", "--close-all", "--output", "json"]

@Test func `each bad record of a topic is kept with its reason, and the good ones count`() throws {
  let bench = Workbench()
  let topic = try Topic(partitions: 1)
  let bad =
    BadRecord.anywhere + [
      BadRecord(.nullValue, nil), BadRecord(.aheadOfRecord, in: .eventTime, BadRecord.year2099),
      BadRecord(.notJSON, ""),
    ]
  for (index, record) in bad.enumerated() {
    try topic.send(event(at: index))
    try topic.send(record.value)
    // Large ones reach the embedded cluster in requests of their own.
    try topic.flush()
  }
  try expectRejected(
    bad, at: bad.indices.map { 2 * $0 + 1 }, goodEvents: bad.count, bench,
    try bench.run(topic.flags + bench.sinks + toTheEnd))
}

@Test func `each bad line of a file is kept with its reason, and the good ones count`() throws {
  let bench = Workbench()
  let bad = BadRecord.anywhere + [BadRecord(.aheadOfNow, in: .eventTime, BadRecord.year2099)]
  var bytes: [UInt8] = []
  var offsets: [Int] = []
  for (index, record) in bad.enumerated() {
    bytes += (event(at: index) + "\n").utf8
    offsets.append(bytes.count)
    bytes += record.value! + [UInt8(ascii: "\n")]
  }
  let file = try bench.write(bytes, to: "events.jsonl")
  try expectRejected(
    bad, at: offsets, goodEvents: bad.count, bench,
    try bench.run(["--file", file] + bench.sinks + toTheEnd.filter { $0 != "--stop-at-end" }))
}

@Test func `a late event is kept with its reason, its time and the watermark`() throws {
  let bench = Workbench()
  let topic = try Topic(partitions: 1)
  for second in [0, 1_800, 1_739, 1_740] { try topic.send(event(at: second)) }
  try topic.flush()
  let answer = try bench.run(topic.flags + bench.sinks + toTheEnd)
  #expect(answer.ended(.success), "\(answer.messages)")
  #expect(isConserved(answer.output))
  #expect(JSONLine.number("behind_partition", in: answer.output) == 1)
  let late = try bench.look("late")
  #expect(late.split(separator: "\n").count == 1)
  #expect(JSONLine.number("offset", in: late) == 2)
  #expect(JSONLine.text("reason", in: late) == "behind_partition")
  #expect(JSONLine.text("event_time", in: late) == "2025-03-01T10:28:59.000000Z")
  #expect(JSONLine.text("watermark", in: late) == "2025-03-01T10:29:00.000000Z")
  let counts = try SQLiteFile(bench.database).rows(
    "SELECT event_count FROM sessions ORDER BY session_end")
  #expect(counts == [["1"], ["2"]])
}

@Test func `purge makes room for rejected records, and the counters stay`() throws {
  let bench = Workbench()
  let file = try bench.write("nonsense\n" + event(at: 0) + "\n", to: "events.jsonl")
  #expect(try bench.run(["--file", file] + bench.sinks).ended(.success))
  #expect(try bench.count("rejected_kept") == 1)
  #expect(try bench.answer(["purge", "rejected", "--state", bench.state]).ended(.success))
  #expect(try bench.dump("rejected") == "")
  #expect(try bench.count("rejected_kept") == 0)
  #expect(try bench.count("rejected") == 1)
}

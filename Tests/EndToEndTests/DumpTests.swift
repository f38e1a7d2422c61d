import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

private let views = [
  "summary", "sessions", "offsets", "watermarks", "outbox", "late", "rejected", "bots",
]

@Test func `every view can be looked at beside a running process, which goes on`() throws {
  let bench = Workbench()
  let topic = try Topic(partitions: 2)
  let run = try bench.startRun(
    topic.flags + bench.sinks + ["--checkpoint-interval", "1ms", "--idle-timeout", "off"])
  var sent = 0
  for round in 0..<5 {
    for partition in Int32(0)...1 {
      try topic.send(event(user: round, at: round * 600), partition: partition)
      try topic.send("nonsense", partition: partition)
    }
    try topic.flush()
    sent += 4
    for view in views {
      _ = try eventually("state") { try bench.dump(view) }
    }
    try bench.wait(for: "records_read", atLeast: sent, of: run)
    #expect(isConserved(try bench.look()))
  }
  let views = try (bench.dump("offsets"), bench.dump("watermarks"), bench.dump("rejected"))
  #expect(views.0?.split(separator: "\n").count == 2)
  #expect(views.1?.split(separator: "\n").count == 2)
  #expect(views.2?.split(separator: "\n").count == sent / 2)
  run.child.signal(SIGTERM)
  #expect(try run.answer().ended(.success))
}

/// A bench whose state holds open, waiting, late and rejected records and bots full of control
/// characters.
private func benchWithControlCharacters() throws -> Workbench {
  let bench = Workbench()
  let evil = #"\u001b[2J\u0007\r\n\u007f\u009b31m\u202e"#
  var lines = [
    #"{"ip":"10.0.0.9","event_time":1740823200,"url":"\#(evil)","#
      + #""user_agent":{"device":{"family":"Spider"},"family":"\#(evil)"}}"#,
    event(user: 1, at: 0, url: evil), event(user: 2, at: 3_600, url: evil),
    event(user: 3, at: 0, url: evil), "\u{1B}[2J\u{9B}31m\u{7F}\u{7}nonsense",
  ]
  lines.append(#"{"user_id":4,"ip":"\#(evil)","event_time":1740826800}"#)
  // C1 controls may stand in JSON as they are.
  lines.append(event(user: 5, ip: "host\u{9B}31m", at: 3_600, url: "\u{9B}31m\u{7F}"))
  let file = try bench.write(lines.joined(separator: "\n") + "\n", to: "events.jsonl")
  // The sink is down, so that rows stay in the outbox.
  let sink = ["--sink", "sqlite:\(bench.path)/missing/sessions.db", "--shutdown-timeout", "0s"]
  let answer = try bench.run(["--file", file, "--drop-bots"] + sink)
  #expect(answer.ended(.unavailable), "\(answer.messages)")
  return bench
}

@Test(arguments: ["text", "json"])
func `no view lets a control character through`(format: String) throws {
  let bench = try benchWithControlCharacters()
  for view in views {
    let answer = try bench.answer(
      ["dump", view, "--state", bench.state, "--output", format])
    #expect(answer.ended(.success), "\(view): \(answer.messages)")
    #expect(answer.output.split(separator: "\n").count > (format == "text" ? 1 : 0), "\(view)")
    let controls = answer.output.unicodeScalars.filter {
      $0 != "\n" && ($0.value < 0x20 || (0x7F...0x9F).contains($0.value))
    }
    #expect(controls.isEmpty, "\(view): \(controls.map(\.value)) in \(answer.output)")
  }
}

@Test func `sessions can be picked by user, by address, and by both`() throws {
  let bench = Workbench()
  let visits = [(1, "10.0.0.1"), (1, "10.0.0.2"), (2, "10.0.0.1"), (3, "10.0.0.3")]
  let lines = visits.map { event(user: $0.0, ip: $0.1, at: 0) + "\n" }.joined()
  let file = try bench.write(
    lines + event(user: nil, ip: "10.0.0.1", at: 0) + "\n", to: "events.jsonl")
  #expect(try bench.run(["--file", file] + bench.sinks).ended(.success))
  let count = { (flags: [String]) in
    try bench.look("sessions", flags).split(separator: "\n").count
  }
  #expect(try count([]) == 5)
  #expect(try count(["--user", "1"]) == 2)
  #expect(try count(["--ip", "10.0.0.1"]) == 3)
  #expect(try count(["--user", "1", "--ip", "10.0.0.2"]) == 1)
  #expect(try count(["--user", "3", "--ip", "10.0.0.1"]) == 0)
  #expect(try count(["--limit", "2"]) == 2)
  let one = try bench.look("sessions", ["--user", "2"])
  #expect(JSONLine.text("user_id", in: one) == "2")
  #expect(JSONLine.text("ip", in: one) == "10.0.0.1")
  #expect(JSONLine.text("status", in: one) == "open")
}

import Glibc
import Platform
import SessionModel
import TestSupport
import Testing

@Suite struct SideOutputTests {
  /// Six records in ten are events; two are late, two are no events.
  private func feed(_ topic: Topic, _ count: Int) throws {
    var random = RandomNumbers(seed: 7)
    let records = (0..<count).map { number -> [UInt8] in
      switch number % 10 {
      case 3, 8: Array(event(user: number % 7, at: 0, url: "/late/\(number)").utf8)
      case 4, 9: Array("broken \(number)".utf8)
      default: Array(event(user: number % 7, at: 1_000 + number, url: "/\(number)").utf8)
      }
    }
    try topic.send(records, spread: &random)
  }

  private func lines(_ directory: String, _ prefix: String) throws -> [String] {
    try Files.names(in: directory).filter { $0.hasPrefix(prefix) }.flatMap {
      TableExport.lines(try Files.read(directory + "/" + $0))
    }
  }

  @Test func `side outputs hold each record once, through ten kills`() throws {
    let topic = try Topic(partitions: 2)
    try feed(topic, 20_000)
    let bench = Workbench()
    let places = ["late": bench.path + "/late", "rejected": bench.path + "/rejected"]
    let sides = places.flatMap { ["--\($0.key)-to", "jsonl:\($0.value)"] }
    let flags = topic.flags + bench.sinks + sides + ["--checkpoint-interval", "1ms"]
    for kill in 1...10 {
      let run = try bench.startRun(flags)
      try bench.wait(for: "records_read", atLeast: min(20_000, kill * 1_500), of: run)
      run.child.signal(SIGKILL)
      #expect(run.child.wait() == .killed(signal: SIGKILL))
    }
    let last = try bench.run(flags + ["--stop-at-end", "--close-all"])
    #expect(last.ended(.success), "\(last.messages)")

    let calm = Workbench()
    let uninterrupted = try calm.run(topic.flags + calm.sinks + ["--stop-at-end", "--close-all"])
    #expect(uninterrupted.ended(.success), "\(uninterrupted.messages)")
    for (output, place) in places {
      let kept = TableExport.lines(Array(try calm.look(output).utf8))
      #expect(kept.count >= 3_000)
      #expect(try lines(place, output).sorted() == kept.sorted())
      #expect(try bench.look(output) == "")
    }
  }

  @Test func `one place for two outputs is refused`() throws {
    let bench = Workbench()
    let answer = try bench.run(
      ["--file", "x.jsonl"] + bench.sinks
        + ["--late-to", "jsonl:\(bench.path)/a", "--rejected-to", "jsonl:\(bench.path)/a"])
    #expect(answer.ended(.usage))
    #expect(answer.messages.contains("--rejected-to"))
  }

  @Test func `a place of an unknown kind is refused`() throws {
    let bench = Workbench()
    for place in ["sqlite:x.db", "here", "jsonl:"] {
      let answer = try bench.run(["--file", "x.jsonl"] + bench.sinks + ["--late-to", place])
      #expect(answer.ended(.usage), "\(place): \(answer.messages)")
    }
  }
}

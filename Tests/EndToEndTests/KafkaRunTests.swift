import Glibc
import KafkaClient
import Platform
import SessionModel
import TestSupport
import Testing

/// Runs into Kafka topics.
@Suite(.serialized) struct KafkaRunTests {
  private static let patience: Int64 = 20_000_000

  /// Reads a topic's committed records with another program than ours.
  private func kcat(_ brokers: String, _ topic: String) throws -> [String] {
    let directory = TemporaryDirectory()
    let child = try ChildProcess(
      "kcat",
      [
        "-b", brokers, "-C", "-e", "-q", "-t", topic, "-f", "%k\\t%s\\n", "-X",
        "isolation.level=read_committed",
      ], standardOutput: directory.path + "/out", standardError: directory.path + "/err")
    #expect(child.wait() == .exited(0))
    return TableExport.lines(try Files.read(directory.path + "/out"))
  }

  private static let kcatIsMissing = !["/usr/bin/kcat", "/usr/local/bin/kcat"].contains(
    where: Files.exists)

  @Test func `kills, outages and lost states leave the right last value of each key`() throws {
    let answer = try Workbench().answer([
      "drill", "--events", "12000", "--kills", "6", "--seed", "4", "--output", "json",
      "--fault", "kill,sink-down,state-lost", "--sink", "sqlite,kafka:out",
    ])
    #expect(answer.ended(.success), "\(answer.messages)\(answer.output)")
    #expect(answer.output.contains(#"{"name":"kafka","rows":"#))
  }

  @Test(.disabled(if: SecondBroker.isMissing, Comment(rawValue: SecondBroker.skipMessage)))
  func `in transactions kills and lost states leave each row once`() throws {
    let broker = try SecondBroker()
    let answer = try Workbench().answer([
      "drill", "--events", "12000", "--kills", "20", "--seed", "5", "--output", "json",
      "--fault", "kill,state-lost", "--sink", "sqlite,kafka", "--transactional",
      "--brokers", broker.brokers, "--topic-prefix", "drill",
    ])
    #expect(answer.ended(.success), "\(answer.messages)\(answer.output)")
    #expect(answer.output.contains(#"{"name":"kafka","rows":"#))
  }

  @Test(
    .disabled(if: SecondBroker.isMissing, Comment(rawValue: SecondBroker.skipMessage)),
    .disabled(if: kcatIsMissing, "kcat is not installed (Debian: kcat)"))
  func `kcat and verify-sink see what SQLite holds, and a newer process ends an older`() throws {
    let broker = try SecondBroker()
    let admin = try Inquirer(KafkaConfiguration(brokers: broker.brokers))
    try admin.createTopic(
      Topic.name, partitions: 2, replicas: 1, configuration: [("retention.ms", "-1")],
      timeout: Self.patience)
    let producer = try Topic.producer(broker.brokers)
    for number in 0..<3_000 {
      try producer.produce(
        topic: Topic.name, partition: Int32(number % 2),
        text: event(user: number % 200, at: number * 3, url: "/\(number)"))
    }
    try producer.flush(timeout: Self.patience)
    let (old, new) = (Workbench(), Workbench())
    let flags = [
      "--brokers", broker.brokers, "--topic", Topic.name, "--sink", "kafka:sessions",
      "--transactional", "--checkpoint-interval", "10ms",
    ]
    let first = try old.startRun(flags + ["--sink", "sqlite:\(old.database)"])
    try old.wait(for: "delivered", atLeast: 1, of: first)
    let second = try new.startRun(flags + ["--sink", "sqlite:\(new.database)"])
    try new.wait(for: "delivered", atLeast: 1, of: second)
    for partition in 0..<Int32(2) {
      try producer.produce(
        topic: Topic.name, partition: partition, text: event(at: 90_000, url: "/end"))
    }
    try producer.flush(timeout: Self.patience)
    let answer = try first.answer()
    #expect(answer.ended(.takenOver), "\(answer.messages)")
    second.child.signal(SIGTERM)
    #expect(try second.answer().ended(.success))
    let last = try new.run(
      flags + ["--sink", "sqlite:\(new.database)", "--stop-at-end", "--close-all"])
    #expect(last.ended(.success), "\(last.messages)")

    let rows = TableExport.lines(try TableExport.sqlite(new.database))
    let seen = try kcat(broker.brokers, "sessions").map { line in
      line.split(separator: "\t", maxSplits: 1).map { String($0) }
    }
    #expect(rows.count > 200)
    #expect(seen.map { $0[1] }.sorted() == rows.sorted())
    #expect(seen.allSatisfy { $0[1].contains($0[0]) })
    let verified = try new.answer([
      "verify-sink", "--state", new.state, "--sink",
      "kafka:sessions?brokers=\(broker.brokers)",
    ])
    #expect(verified.ended(.success), "\(verified.messages)\(verified.output)")
  }

  @Test func `side records come to their topics, through kills`() throws {
    let topic = try Topic(partitions: 2)
    let outputs = SideOutput.allCases.map(\.rawValue)
    for name in outputs { try topic.cluster.createTopic(name, partitions: 3) }
    var random = RandomNumbers(seed: 7)
    let records = (0..<6_000).map { number -> [UInt8] in
      switch number % 10 {
      case 3, 8: Array(event(user: number % 7, at: 0, url: "/late/\(number)").utf8)
      case 4, 9: Array("broken \(number)".utf8)
      case 6:
        Array(
          (event(user: number, at: 1_000 + number).dropLast()
            + #","user_agent":{"device":{"family":"Spider"}}}"#).utf8)
      default: Array(event(user: number % 7, at: 1_000 + number, url: "/\(number)").utf8)
      }
    }
    try topic.send(records, spread: &random)
    let (bench, calm) = (Workbench(), Workbench())
    let flags =
      topic.flags + bench.sinks + ["--drop-bots", "--checkpoint-interval", "1ms"]
      + outputs.flatMap { ["--\($0)-to", "kafka:\($0)"] }
    for kill in 1...4 {
      let run = try bench.startRun(flags)
      try bench.wait(for: "records_read", atLeast: min(6_000, kill * 1_000), of: run)
      run.child.signal(SIGKILL)
      #expect(run.child.wait() == .killed(signal: SIGKILL))
    }
    let last = try bench.run(flags + ["--stop-at-end", "--close-all"])
    #expect(last.ended(.success), "\(last.messages)")
    let uninterrupted = try calm.run(
      topic.flags + calm.sinks + ["--drop-bots", "--stop-at-end", "--close-all"])
    #expect(uninterrupted.ended(.success), "\(uninterrupted.messages)")
    for output in outputs {
      let kept = TableExport.lines(Array(try calm.look(output).utf8))
      #expect(kept.count >= (output == "bots" ? 500 : 900))
      #expect(try bench.look(output) == "")
      #expect(Set(try values(topic.cluster.brokers, output)) == Set(kept))
    }
  }

  private func values(_ brokers: String, _ topic: String) throws -> [String] {
    let configuration = KafkaConfiguration(brokers: brokers)
    let inquirer = try Inquirer(configuration)
    let count = try inquirer.describe(topic: topic, timeout: Self.patience).partitionCount
    let partitions = (0..<Int32(count)).map { $0 }
    let ends = try inquirer.offsets(
      .end, topic: topic, partitions: partitions, timeout: Self.patience)
    let scan = try TopicScan(
      configuration, topic: topic,
      partitions.map { LogSpan(partition: $0, from: 0, to: ends[Int($0)] ?? 0) },
      group: "reader", timeout: Self.patience)
    var values: [String] = []
    while try scan.next() != nil {
      for entry in scan.batch.entries where entry.errorCode == 0 {
        values.append(entry.value.map { String(decoding: $0, as: UTF8.self) } ?? "")
      }
    }
    return values
  }

  @Test func `settings of the cluster that is read do not go to another`() throws {
    let (source, other) = (try Topic(partitions: 1), try MockCluster())
    for cluster in [source.cluster, other] { try cluster.createTopic("out", partitions: 1) }
    // Above what a producer with this setting takes.
    let setting = "message.max.bytes=1000"
    let url = "/" + String(repeating: "long", count: 500)
    try source.send(event(at: 0, url: url))
    try source.flush()
    let bench = Workbench()
    let file = try bench.write(setting + "\n", to: "properties")
    func run(_ sink: String, _ flags: [String] = []) throws -> Answer {
      try Workbench().run(
        source.flags + ["--sink", "kafka:out\(sink)", "--stop-at-end", "--close-all"] + flags)
    }
    let elsewhere = "?brokers=\(other.brokers)"
    #expect(try run("", ["-X", setting]).ended(.configuration))
    #expect(try run(elsewhere + "&properties=\(file)").ended(.configuration))
    #expect(try values(other.brokers, "out").isEmpty)
    let answer = try run(elsewhere, ["-X", setting])
    #expect(answer.ended(.success), "\(answer.messages)")
    #expect(try values(other.brokers, "out").count == 1)
  }

  @Test(arguments: [
    ["--sink", "kafka:web"], ["--sink", "kafka:web?brokers=127.0.0.1:1"],
    ["--sink", "sqlite:x.db", "--late-to", "kafka:web"],
    ["--sink", "kafka:out?brokers=127.0.0.1:1&properties=/nowhere"],
    ["--sink", "sqlite:x.db", "--transactional"],
    ["--sink", "kafka:out", "--rejected-to", "kafka:out"],
  ])
  func `the topic that is read, one topic twice and files that are not there are refused`(
    flags: [String]
  ) throws {
    let answer = try Workbench().run(["--brokers", "127.0.0.1:1", "--topic", "web"] + flags)
    #expect(answer.ended(.usage), "\(answer.messages)")
  }
}

import Glibc
import KafkaClient
import Platform
import SessionModel
import TestSupport
import Testing

/// Brokers that go away, fall silent, answer late or change their roles, under the program itself.
@Suite struct BrokerOutageTests {
  /// Waits until the run has said something.
  private func wait(for text: String, from run: StartedCommand) throws {
    try eventually("'\(text)' said; \(run.said)", within: 30) {
      if let end = run.child.poll() {
        throw TimedOut(description: "the run ended, \(end): \(run.said)")
      }
      return run.said.contains(text) ? () : nil
    }
  }

  @Test func `brokers that are not there at the start are waited for, and told twice`() throws {
    let bench = Workbench()
    let topic = try Topic(partitions: 2)
    for second in 0..<10 { try topic.send(event(at: second), partition: Int32(second % 2)) }
    try topic.flush()
    try topic.cluster.setDown(1)
    let run = try bench.startRun(
      topic.flags + bench.sinks + FaultDrill.impatience + ["--stop-at-end", "--close-all"])
    try wait(for: "no answer from the brokers", from: run)
    try topic.cluster.setUp(1)
    let answer = try run.answer()
    #expect(answer.ended(.success), "\(answer.messages)")
    #expect(answer.messages.components(of: "no answer from the brokers") == 1)
    #expect(answer.messages.components(of: "the brokers answer after") == 1)
    #expect(JSONLine.number("records_read", in: try bench.look()) == 10)
  }

  @Test(arguments: [SIGTERM, SIGINT])
  func `a signal ends the waiting for brokers, and the state is as it was`(signal: Int32) throws {
    let bench = Workbench()
    let run = try bench.startRun(
      ["--brokers", "127.0.0.1:\(freePort())", "--topic", "web"] + bench.sinks)
    try wait(for: "no answer from the brokers", from: run)
    run.child.signal(signal)
    #expect(try run.answer().ended(.success), "\(run.said)")
    #expect(try bench.count("checkpoint") == 0)
  }

  @Test func `a time limit ends the waiting for brokers`() throws {
    let bench = Workbench()
    let silent = LoopbackListener()
    let answer = try bench.run(
      ["--brokers", "127.0.0.1:\(silent.port)", "--topic", "web", "--run-for", "4s"]
        + bench.sinks)
    #expect(answer.ended(.success), "\(answer.messages)")
    #expect(answer.messages.contains("no answer from the brokers"))
  }

  @Test func `a cluster that is down in the middle and at the end costs nothing`() throws {
    let drill = try FaultDrill()
    let cluster = drill.topic.cluster
    var comeback: LateReturn?
    try drill.perform { moment in
      guard moment != .start else { return }
      try cluster.setDown(1)
      if moment == .middle {
        try eventually("loss noticed; \(drill.saidSoFar)") {
          drill.saidSoFar.contains("connection lost") ? () : nil
        }
        try cluster.setUp(1)
        try drill.topic.reconnect()
      } else {
        comeback = try LateReturn(after: 700_000) { try? cluster.setUp(1) }
      }
    }
    withExtendedLifetime(comeback) {}
    try drill.check("a cluster down")
    #expect(drill.said.contains("connection back"))
  }

  @Test func `brokers that fall silent are ridden out`() throws {
    let drill = try FaultDrill()
    let proxy = try BrokerProxy(drill.topic.cluster.brokers)
    var comebacks: [LateReturn] = []
    try drill.perform(
      brokers: proxy.brokers, flags: ["-X", "socket.timeout.ms=1000"]
    ) { moment in
      proxy.setSilent(true)
      // The first and the last run find nobody who answers; the one under way loses its partner.
      comebacks.append(
        try LateReturn(after: 700_000) {
          #expect(proxy.waitForUnanswered(within: 20))
          proxy.setSilent(false)
        })
      if moment == .middle { comebacks.last?.wait() }
    }
    try drill.check("silent brokers")
  }

  @Test func `answers that take longer than requests may take cost nothing`() throws {
    let drill = try FaultDrill()
    try drill.topic.cluster.setDelay(200_000, broker: 1)
    try drill.perform(flags: ["-X", "socket.timeout.ms=150"]) { moment in
      // At last the requests may take as long as the broker does.
      try drill.topic.cluster.setDelay(moment == .end ? 50_000 : 100_000, broker: 1)
    }
    try drill.check("slow answers")
  }

  @Test func `leaders and the coordinator may move at any time`() throws {
    let drill = try FaultDrill(brokers: 3)
    let cluster = drill.topic.cluster
    var leader: Int32 = 1
    func move() throws {
      leader = leader % 3 + 1
      for partition in 0..<Int32(FaultDrill.partitions) {
        try cluster.moveLeader(
          topic: Topic.name, partition: partition, to: (leader + partition) % 3 + 1)
      }
      try cluster.moveCoordinator(group: Topic.name, to: leader)
    }
    try drill.perform(disturb: { _ in try move() }, settle: { _ in try move() })
    try drill.check("leaders moved")
  }

  @Test func `partitions without a leader for a while cost nothing`() throws {
    let drill = try FaultDrill(brokers: 3)
    let cluster = drill.topic.cluster
    @Sendable func lead(_ broker: Int32) throws {
      for partition in 0..<Int32(FaultDrill.partitions) {
        try cluster.moveLeader(topic: Topic.name, partition: partition, to: broker)
      }
    }
    var comebacks: [LateReturn] = []
    try drill.perform { moment in
      try lead(-1)
      comebacks.append(try LateReturn(after: 700_000) { try? lead(2) })
      if moment == .middle { comebacks.last?.wait() }
    }
    try drill.check("no leader")
  }

  @Test func `one broker of three that stays away costs nothing once its partitions have moved`()
    throws
  {
    let drill = try FaultDrill(brokers: 3)
    let cluster = drill.topic.cluster
    try drill.perform { moment in
      guard moment == .middle else { return }
      try cluster.setDown(1)
      for partition in 0..<Int32(FaultDrill.partitions) {
        try cluster.moveLeader(topic: Topic.name, partition: partition, to: partition % 2 + 2)
      }
      try cluster.moveCoordinator(group: Topic.name, to: 2)
      try drill.topic.reconnect()
    }
    try drill.check("one of three down")
  }

  /// 3 UNKNOWN_TOPIC_OR_PARTITION, 5 LEADER_NOT_AVAILABLE, 7 REQUEST_TIMED_OUT.
  @Test(arguments: [3, 5, 7] as [Int32])
  func `a topic whose metadata is not there for a moment is waited for`(code: Int32) throws {
    let drill = try FaultDrill()
    let cluster = drill.topic.cluster
    var comebacks: [LateReturn] = []
    try drill.perform { moment in
      cluster.setTopicError(Topic.name, code: code)
      // A new connection asks for metadata.
      if moment == .middle { try cluster.failNext(.fetch, with: [-195, -195], broker: 1) }
      comebacks.append(
        try LateReturn(after: 700_000) { cluster.setTopicError(Topic.name, code: 0) })
      if moment == .middle { comebacks.last?.wait() }
    }
    try drill.check("metadata \(code)")
  }

  /// 30 is the protocol's GROUP_AUTHORIZATION_FAILED.
  @Test(arguments: [MockCluster.Request.offsetCommit, .findCoordinator])
  func `missing rights on the group are told, and reading goes on`(
    request: MockCluster.Request
  ) throws {
    let drill = try FaultDrill()
    try drill.topic.cluster.failNext(
      request, with: Array(repeating: 30, count: 1_000), broker: 1)
    try drill.perform(
      disturb: { _ in }, settle: { try wait(for: "only lag tools miss them", from: $0) })
    try drill.check("group refused")
    #expect(drill.said.components(of: "only lag tools miss them") <= 2)
  }
}

/// Does something after a while, on a thread of its own.
private final class LateReturn {
  private let pause: WakeUp
  private let thread: WorkerThread

  init(after delay: Int64, _ body: @escaping @Sendable () -> Void) throws {
    let pause = try WakeUp()
    self.pause = pause
    thread = try WorkerThread("late-return") {
      pause.wait(timeout: delay)
      body()
    }
  }

  deinit { thread.join() }

  func wait() { thread.join() }
}

extension String {
  /// How often a text occurs.
  func components(of text: String) -> Int {
    var count = 0
    var rest = self[...]
    while let range = rest.firstRange(of: text) {
      count += 1
      rest = rest[range.upperBound...]
    }
    return count
  }
}

import EventSources
import KafkaClient
import Platform
import SessionModel
import TestSupport
import Testing

/// Brokers that are down, missing, slow or unwilling.
@Suite struct OutageTests {
  @Test func `an outage while reading is told and ends by itself`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    try fill(cluster.brokers, "web", 0..<10)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    _ = try source.open(resume: [])
    var harvest = Harvest()
    var notices: [String] = []
    try source.read(&harvest) { $0.records.count == 10 }
    try cluster.setDown(1)
    try source.read(&harvest) { _ in
      notices += source.takeNotices()
      return notices.contains { $0.contains("connection lost") }
    }
    try cluster.setUp(1)
    try fill(cluster.brokers, "web", 10..<20)
    try source.read(&harvest) {
      notices += source.takeNotices()
      return $0.records.count == 20 && notices.contains { $0.contains("connection back") }
    }
    #expect(harvest.offsets(of: 0) == Array(0..<20))
    #expect(notices.count { $0.contains("connection lost") } == 1)
  }

  @Test func `ends cannot be had during an outage`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    _ = try source.open(resume: [])
    try cluster.setDown(1)
    source.requestEnds(of: [0])
    var ends: [PartitionEnd] = []
    var harvest = Harvest()
    try source.read(&harvest) { _ in
      ends += source.takeEnds()
      return !ends.isEmpty
    }
    #expect(ends.map(\.end) == [nil])
  }

  @Test func `a leader that moves costs no record`() throws {
    let cluster = try MockCluster(brokers: 2)
    try cluster.createTopic("web", partitions: 1)
    try cluster.moveLeader(topic: "web", partition: 0, to: 1)
    try fill(cluster.brokers, "web", 0..<10)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    _ = try source.open(resume: [])
    var harvest = Harvest()
    try source.read(&harvest) { $0.records.count == 10 }
    try cluster.moveLeader(topic: "web", partition: 0, to: 2)
    try fill(cluster.brokers, "web", 10..<20)
    try source.read(&harvest) { $0.records.count == 20 }
    #expect(harvest.offsets(of: 0) == Array(0..<20))
  }

  @Test func `a broker that comes late is waited for`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    try cluster.setDown(1)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    let pause = try WakeUp()
    let thread = try WorkerThread("late-broker") {
      pause.wait(timeout: 400_000)
      try? cluster.setUp(1)
    }
    #expect(try source.open(resume: []).count == 1)
    thread.join()
  }

  /// 29 is the protocol's TOPIC_AUTHORIZATION_FAILED.
  @Test func `missing rights on the topic end the run`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    cluster.setTopicError("web", code: 29)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    guard case .authentication? = caught({ _ = try source.open(resume: []) }) else {
      Issue.record("not noticed")
      return
    }
  }

  @Test(arguments: [
    ("enable.auto.commit", "true"), ("enable.auto.offset.store", "true"),
    ("auto.offset.reset", "latest"), ("enable.partition.eof", "false"),
  ])
  func `a setting that would break correctness is refused`(name: String, value: String) throws {
    let source = try KafkaSource(
      options("127.0.0.1:1", "web") {
        $0.configuration = KafkaConfiguration(brokers: "127.0.0.1:1", properties: [(name, value)])
      })
    guard case .configuration(let message)? = caught({ _ = try source.open(resume: []) }) else {
      Issue.record("not refused")
      return
    }
    #expect(message.contains(name))
  }

  @Test func `a port of one's choice leads to the embedded cluster`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    let relay = try BootstrapRelay(port: 0, brokers: cluster.brokers)
    try fill("127.0.0.1:\(relay.port)", "web", 0..<5)
    let source = try bounded("127.0.0.1:\(relay.port)", "web")
    _ = try source.open(resume: [])
    #expect(try source.readToStop(partitions: 1).records.count == 5)
  }

  @Test func `closing during an outage ends within its time`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    let source = try KafkaSource(options(cluster.brokers, "web") { $0.closeTimeout = 8_000_000 })
    _ = try source.open(resume: [])
    try cluster.setDown(1)
    source.requestEnds(of: [0])
    source.mirror([(partition: 0, nextOffset: 1)])
    let begin = Clock.monotonic
    source.close()
    #expect(Clock.monotonic - begin < 10_000_000)
  }
}

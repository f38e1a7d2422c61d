import EventSources
import KafkaClient
import SessionModel
import TestSupport
import Testing

/// Brokers that say, while a log is read, that it does not hold what comes next.
@Suite struct RetentionTests {
  /// 1 is OFFSET_OUT_OF_RANGE.
  @Test func `an offset wrongly called out of range costs no record and doubles none`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    try fill(cluster.brokers, "web", 0..<10)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    _ = try source.open(resume: [])
    var harvest = Harvest()
    try source.read(&harvest) { _ in source.isAtEnd(0) }
    try cluster.failNext(.fetch, with: [1, 1], broker: 1)
    try source.read(&harvest) { _ in try cluster.failuresLeft(.fetch, broker: 1) == 0 }
    try fill(cluster.brokers, "web", 10..<20)
    try source.read(&harvest) { $0.records.count >= 20 && source.isAtEnd(0) }
    #expect(harvest.offsets(of: 0) == Array(0..<20))
  }

  /// The embedded cluster keeps 5 MiB of a partition.
  @Test(arguments: [KafkaSourceOptions.DataLossPolicy.stop, .continue])
  func `retention that overtakes a reader during an outage is counted`(
    policy: KafkaSourceOptions.DataLossPolicy
  ) throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    try fill(cluster.brokers, "web", 0..<3)
    let proxy = try BrokerProxy(cluster.brokers)
    let source = try KafkaSource(
      options(proxy.brokers, "web") {
        $0.onDataLoss = policy
        $0.configuration = KafkaConfiguration(
          brokers: proxy.brokers,
          properties: [("socket.timeout.ms", "500"), ("reconnect.backoff.ms", "10")])
      })
    _ = try source.open(resume: [])
    var harvest = Harvest()
    try source.read(&harvest) { _ in source.isAtEnd(0) }
    proxy.setSilent(true)
    try source.read(&harvest) { _ in
      source.takeNotices().contains { $0.contains("connection lost") }
    }
    let low = try outgrow(cluster)
    proxy.setSilent(false)
    let error = caught { try source.read(&harvest) { $0.records.count == 3 + 20 - Int(low) } }
    if policy == .stop {
      guard case .inputLost(let message)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(message.contains("\(low - 3) offsets from 3 on were deleted"))
      #expect(harvest.offsets(of: 0) == [0, 1, 2])
    } else {
      #expect(error == nil && source.takeLostOffsets() == UInt64(low - 3))
      #expect(harvest.offsets(of: 0) == [0, 1, 2] + Array(low..<20))
    }
  }

  /// Fills the log up to offset 20 with what cannot be compressed.
  ///
  /// - Returns: where it begins then.
  private func outgrow(_ cluster: MockCluster) throws -> Int64 {
    let producer = try Producer(KafkaConfiguration(brokers: cluster.brokers))
    var random = RandomNumbers(seed: 1)
    for _ in 3..<20 {
      let value = (0..<60_000).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
      try value.withUnsafeBytes {
        try producer.produce(topic: "web", partition: 0, value: $0)
      }
      // One batch each: whole batches are dropped.
      try producer.flush(timeout: patience)
    }
    let inquirer = try Inquirer(KafkaConfiguration(brokers: cluster.brokers))
    let low = try inquirer.offsets(.beginning, topic: "web", partitions: [0], timeout: patience)
    let begin = try #require(low[0])
    try #require(begin > 3)
    return begin
  }
}

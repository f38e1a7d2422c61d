import EventSources
import KafkaClient
import Testing

/// Questions for the ends of logs, where only some of them are answered.
@Suite struct EndsTests {
  private func ends(_ source: KafkaSource, _ partitions: [Int32]) throws -> [Int32: Int64?] {
    source.requestEnds(of: partitions)
    var ends: [Int32: Int64?] = [:]
    var harvest = Harvest()
    try source.read(&harvest) { _ in
      for end in source.takeEnds() { ends[end.partition] = .some(end.end) }
      return ends.count == partitions.count
    }
    return ends
  }

  @Test func `a leader that is away hides no other's end`() throws {
    let cluster = try MockCluster(brokers: 3)
    try cluster.createTopic("web", partitions: 3)
    for partition in 0..<Int32(3) {
      try cluster.moveLeader(topic: "web", partition: partition, to: partition + 1)
    }
    try fill(cluster.brokers, "web", 0..<9, partitions: 3)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    _ = try source.open(resume: [])
    #expect(try ends(source, [0, 1, 2]) == [0: 3, 1: 3, 2: 3])
    try cluster.setDown(2)
    #expect(try ends(source, [0, 1, 2]) == [0: 3, 1: nil, 2: 3])
    try cluster.setUp(2)
  }

  @Test func `a partition's error hides no other's end`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 2)
    try fill(cluster.brokers, "web", 0..<4, partitions: 2)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    _ = try source.open(resume: [])
    // 56 is KAFKA_STORAGE_ERROR, for both together and then for the first alone.
    cluster.failNext(.listOffsets, with: [56, 56])
    #expect(try ends(source, [0, 1]) == [0: nil, 1: 2])
  }
}

import EventSources
import KafkaClient
import SessionModel
import Testing

/// Going on after a restart, and noticing that the log is not the one that was read.
@Suite struct ResumeTests {
  /// A topic with records `0..<count`, read up to `read`; the progress there.
  private func readPart(
    _ cluster: MockCluster, _ topic: String, _ count: Int, read: Int
  ) throws -> [PartitionProgress] {
    try fill(cluster.brokers, topic, 0..<read)
    let source = try bounded(cluster.brokers, topic)
    _ = try source.open(resume: [])
    _ = try source.readToStop(partitions: 1)
    try fill(cluster.brokers, topic, read..<count)
    return source.progress(partitions: 1)
  }

  @Test func `a resumed run delivers exactly what was not read`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    let progress = try readPart(cluster, "web", 30, read: 10)
    #expect(progress[0].nextOffset == 10 && !progress[0].proof.isEmpty)
    let source = try bounded(cluster.brokers, "web")
    #expect(try source.open(resume: progress).map(\.nextOffset) == [10])
    let harvest = try source.readToStop(partitions: 1)
    #expect(harvest.offsets(of: 0) == Array(10..<30))
  }

  @Test func `a resumed run with nothing new keeps position and proof`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    let progress = try readPart(cluster, "web", 10, read: 10)
    let source = try bounded(cluster.brokers, "web")
    _ = try source.open(resume: progress)
    let harvest = try source.readToStop(partitions: 1)
    #expect(harvest.records.isEmpty && harvest.positions[0] == 10)
    #expect(source.progress(partitions: 1) == progress)
  }

  @Test(arguments: [10, 25])
  func `a topic made anew is recognised by the record that was read last`(count: Int) throws {
    let old = try MockCluster()
    try old.createTopic("web", partitions: 1)
    let progress = try readPart(old, "web", 10, read: 10)
    let new = try MockCluster()
    try new.createTopic("web", partitions: 1)
    try fill(new.brokers, "web", 0..<count, prefix: "other")
    let source = try bounded(new.brokers, "web")
    let error = caught {
      _ = try source.open(resume: progress)
      _ = try source.readToStop(partitions: 1)
    }
    guard case .inputLost(let message)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    for part in [
      "web", "partition 0", "offset 9", "recreated", "--state", "--on-data-loss continue",
    ] {
      #expect(message.contains(part))
    }
  }

  @Test func `a topic made anew is read from its beginning where loss is accepted`() throws {
    let old = try MockCluster()
    try old.createTopic("web", partitions: 1)
    let progress = try readPart(old, "web", 10, read: 10)
    let new = try MockCluster()
    try new.createTopic("web", partitions: 1)
    try fill(new.brokers, "web", 0..<25, prefix: "other")
    let source = try KafkaSource(
      options(new.brokers, "web") {
        $0.stopAtEnd = true
        $0.onDataLoss = .continue
      })
    _ = try source.open(resume: progress)
    let harvest = try source.readToStop(partitions: 1)
    #expect(harvest.offsets(of: 0) == Array(0..<25))
    #expect(source.takeNotices().contains { $0.contains("recreated") })
  }

  @Test func `a log that ends before our position was recreated or cut`() throws {
    let old = try MockCluster()
    try old.createTopic("web", partitions: 1)
    let progress = try readPart(old, "web", 10, read: 10)
    let new = try MockCluster()
    try new.createTopic("web", partitions: 1)
    try fill(new.brokers, "web", 0..<4)
    let source = try bounded(new.brokers, "web")
    guard case .inputLost(let message)? = caught({ _ = try source.open(resume: progress) }) else {
      Issue.record("not noticed")
      return
    }
    #expect(message.contains("offset 4") && message.contains("10"))
    let accepting = try KafkaSource(
      options(new.brokers, "web") {
        $0.stopAtEnd = true
        $0.onDataLoss = .continue
      })
    #expect(try accepting.open(resume: progress).map(\.nextOffset) == [0])
    #expect(try accepting.readToStop(partitions: 1).records.count == 4)
  }

  // MARK: Another cluster

  private func copy(_ progress: [PartitionProgress], proof: [UInt8]) -> [PartitionProgress] {
    progress.map {
      PartitionProgress(partition: $0.partition, nextOffset: $0.nextOffset, proof: proof)
    }
  }

  @Test func `another cluster with the same records is told, recognised and read on`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    let progress = try readPart(cluster, "web", 20, read: 15)
    let source = try KafkaSource(
      options(cluster.brokers, "web") {
        $0.stopAtEnd = true
        $0.knownCluster = "another"
      })
    _ = try source.open(resume: progress)
    #expect(source.clusterID == nil, "not before the log is recognised")
    #expect(try source.readToStop(partitions: 1).offsets(of: 0) == Array(15..<20))
    let id = try #require(source.clusterID)
    #expect(source.takeNotices().contains { $0.contains("another") && $0.contains(id) })
  }

  @Test(arguments: [nil, "another"])
  func `without the record read last only the cluster that was read is read on`(
    known: String?
  ) throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    let progress = copy(try readPart(cluster, "web", 10, read: 10), proof: [])
    let source = try KafkaSource(
      options(cluster.brokers, "web") {
        $0.stopAtEnd = true
        $0.knownCluster = known
      })
    let error = caught {
      _ = try source.open(resume: progress)
      _ = try source.readToStop(partitions: 1)
    }
    if known == nil {
      #expect(error == nil)
    } else {
      guard case .inputLost(let message)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(message.contains("another cluster") && message.contains("--on-data-loss continue"))
    }
  }

  @Test func `a state with more partitions than the topic has is refused`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    let resume = (0..<2).map { PartitionProgress(partition: Int32($0), nextOffset: 0) }
    let source = try bounded(cluster.brokers, "web")
    guard case .inputLost? = caught({ _ = try source.open(resume: resume) }) else {
      Issue.record("not noticed")
      return
    }
  }

  @Test(arguments: [[], [9, 9, 9], [UInt8](repeating: 7, count: 26)])
  func `a proof that this version does not understand is passed over`(proof: [UInt8]) throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    try fill(cluster.brokers, "web", 0..<5)
    let source = try bounded(cluster.brokers, "web")
    _ = try source.open(
      resume: [PartitionProgress(partition: 0, nextOffset: 3, proof: proof)])
    #expect(try source.readToStop(partitions: 1).offsets(of: 0) == [3, 4])
  }
}

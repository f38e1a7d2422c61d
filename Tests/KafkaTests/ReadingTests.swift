import EventSources
import KafkaClient
import Platform
import SessionModel
import Testing

/// Reading from the embedded cluster.
@Suite struct ReadingTests {
  @Test(arguments: [Int32(1), 7])
  func `every record of every partition comes once and in order`(partitions: Int32) throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: partitions)
    try fill(cluster.brokers, "web", 0..<9_000, partitions: partitions)
    let source = try bounded(cluster.brokers, "web")
    let starts = try source.open(resume: [])
    #expect(starts.map(\.partition) == Array(0..<partitions))
    let harvest = try source.readToStop(partitions: Int(partitions))
    #expect(harvest.records.count == 9_000)
    for partition in 0..<partitions {
      let expected = stride(from: Int(partition), to: 9_000, by: Int(partitions)).map { "r\($0)" }
      #expect(harvest.texts(of: partition) == expected)
      #expect(harvest.offsets(of: partition) == Array(0..<Int64(expected.count)))
      #expect(harvest.positions[partition] == Int64(expected.count))
      #expect(harvest.stops[partition] == 1)
    }
  }

  @Test func `records written after the start of a bounded run stay unread`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 2)
    try fill(cluster.brokers, "web", 0..<10, partitions: 2)
    let source = try bounded(cluster.brokers, "web")
    let starts = try source.open(resume: [])
    // Held until the later records are fetched too, so that they lie in one queue with the others.
    for partition in 0..<Int32(2) { source.setHeld(true, partition: partition) }
    try fill(cluster.brokers, "web", 10..<20, partitions: 2)
    #expect(try source.nextBatch(maxWait: 500_000) == nil)
    for partition in 0..<Int32(2) { source.setHeld(false, partition: partition) }
    let harvest = try source.readToStop(partitions: 2)
    #expect(starts.map(\.stopOffset) == [5, 5])
    #expect(harvest.records.count == 10)
    #expect(try source.nextBatch(maxWait: 300_000) == nil)
  }

  @Test func `an empty partition reaches its stop at once through an empty batch`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    let source = try bounded(cluster.brokers, "web")
    _ = try source.open(resume: [])
    let batch = try #require(try source.nextBatch(maxWait: 0))
    #expect(batch.records.isEmpty && batch.reachedStop && batch.position == 0)
    #expect(try source.nextBatch(maxWait: 0) == nil)
  }

  @Test func `null values and Kafka timestamps arrive as they are`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    let producer = try Producer(KafkaConfiguration(brokers: cluster.brokers))
    try producer.produce(topic: "web", partition: 0, text: nil, timestamp: 1_431_857_103_123)
    try producer.produce(topic: "web", partition: 0, text: "", timestamp: 1)
    try producer.flush(timeout: patience)
    let source = try bounded(cluster.brokers, "web")
    _ = try source.open(resume: [])
    var seen: [(isNull: Bool, length: Int, timestamp: Microseconds)] = []
    while seen.count < 2 {
      guard let batch = try source.nextBatch(maxWait: patience) else { break }
      seen += batch.records.map { ($0.value == nil, $0.valueLength, $0.timestamp) }
    }
    #expect(seen.map(\.isNull) == [true, false])
    #expect(seen.map(\.length) == [0, 0])
    #expect(seen.map(\.timestamp) == [1_431_857_103_123_000, 1_000])
  }

  @Test func `the end of the log is known once it is reached and forgotten with the next record`()
    throws
  {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    try fill(cluster.brokers, "web", 0..<3)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    _ = try source.open(resume: [])
    #expect(!source.isAtEnd(0))
    var harvest = Harvest()
    try source.read(&harvest) { _ in source.isAtEnd(0) }
    #expect(harvest.records.count == 3)
    try fill(cluster.brokers, "web", 3..<4)
    try source.read(&harvest) { _ in source.hasQueued(0) || source.progress(of: 0).nextOffset == 4 }
    #expect(source.progress(of: 0).nextOffset == 4 || !source.isAtEnd(0))
  }

  @Test func `a held partition stays unread while the other goes on`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 2)
    try fill(cluster.brokers, "web", 0..<100, partitions: 2)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    _ = try source.open(resume: [])
    source.setHeld(true, partition: 0)
    var harvest = Harvest()
    try source.read(&harvest) { _ in source.isAtEnd(1) && source.hasQueued(0) }
    #expect(harvest.texts(of: 0).isEmpty)
    #expect(harvest.texts(of: 1).count == 50)
    source.setHeld(false, partition: 0)
    try source.read(&harvest) { $0.records.count == 100 }
    #expect(harvest.texts(of: 0).count == 50)
  }

  @Test func `a wake-up ends the wait for records`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    let source = try KafkaSource(options(cluster.brokers, "web") { $0.stopAtEnd = false })
    _ = try source.open(resume: [])
    source.wake()
    let begin = Clock.monotonic
    #expect(try source.nextBatch(maxWait: 60_000_000) == nil)
    #expect(Clock.monotonic - begin < 30_000_000)
  }

  @Test func `ends are answered with the time at which they were asked`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 2)
    try fill(cluster.brokers, "web", 0..<5, partitions: 2)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    _ = try source.open(resume: [])
    let asked = Clock.monotonic
    source.requestEnds(of: [0, 1])
    var ends: [PartitionEnd] = []
    var harvest = Harvest()
    try source.read(&harvest) { _ in
      ends += source.takeEnds()
      return ends.count == 2
    }
    #expect(ends.map(\.partition) == [0, 1])
    #expect(ends.map(\.end) == [3, 2])
    #expect(ends.allSatisfy { $0.sentAt >= asked })
  }

  @Test func `a partition added while reading is named and then read from its beginning`() throws {
    // The embedded cluster cannot add partitions; a state that knows fewer stands for the restart.
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 2)
    try fill(cluster.brokers, "web", 0..<6, partitions: 2)
    let source = try bounded(cluster.brokers, "web")
    let starts = try source.open(resume: [PartitionProgress(partition: 0, nextOffset: 3)])
    #expect(starts.map(\.nextOffset) == [3, 0])
    #expect(try source.readToStop(partitions: 2).texts(of: 1) == ["r1", "r3", "r5"])
  }

  @Test func `mirrored offsets are the group's committed offsets`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 2)
    try fill(cluster.brokers, "web", 0..<10, partitions: 2)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    _ = try source.open(resume: [])
    _ = try source.read(count: 10)
    source.mirror([(partition: 0, nextOffset: 2), (partition: 1, nextOffset: 1)])
    source.mirror([(partition: 0, nextOffset: 5)])
    source.close()
    let reader = try Consumer(KafkaConfiguration(brokers: cluster.brokers), group: "job")
    #expect(try reader.committed(topic: "web", partitions: [0, 1], timeout: patience) == [5, 1])
  }

  @Test func `the latest start skips what is there`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    try fill(cluster.brokers, "web", 0..<5)
    let source = try KafkaSource(options(cluster.brokers, "web") { $0.start = .latest })
    #expect(try source.open(resume: []).map(\.nextOffset) == [5])
    try fill(cluster.brokers, "web", 5..<6)
    #expect(try source.read(count: 1).records.map(\.text) == ["r5"])
  }

  @Test func `a start by time is refused where the broker cannot find offsets by time`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    try fill(cluster.brokers, "web", 0..<5)
    let source = try KafkaSource(options(cluster.brokers, "web") { $0.start = .time(1_000_000) })
    guard case .configuration(let message)? = caught({ _ = try source.open(resume: []) }) else {
      Issue.record("not refused")
      return
    }
    #expect(message.contains("--from earliest"))
  }
}

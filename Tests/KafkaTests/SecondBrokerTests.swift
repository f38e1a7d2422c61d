import EventSources
import KafkaClient
import Platform
import SessionModel
import TestSupport
import Testing

/// What the embedded cluster cannot show: transactions, times, deleted records, added partitions.
@Suite(
  .disabled(if: SecondBroker.isMissing, Comment(rawValue: SecondBroker.skipMessage)), .serialized)
struct SecondBrokerTests {
  private let broker: SecondBroker
  private let admin: Inquirer

  init() throws {
    broker = try SecondBroker()
    admin = try Inquirer(KafkaConfiguration(brokers: broker.brokers))
  }

  private func create(_ topic: String, _ partitions: Int32 = 1) throws {
    try admin.createTopic(
      topic, partitions: partitions, replicas: 1, configuration: [("retention.ms", "-1")],
      timeout: patience)
  }

  private func transactional(_ id: String) throws -> Producer {
    let producer = try Producer(
      KafkaConfiguration(brokers: broker.brokers, properties: [("transactional.id", id)]))
    try producer.initTransactions(timeout: patience)
    return producer
  }

  /// Writes `texts` in a transaction that `end` commits or aborts or leaves open.
  private func write(
    _ producer: Producer, _ texts: [String], _ end: (Producer) throws -> Void
  ) throws {
    try producer.beginTransaction()
    for text in texts { try producer.produce(topic: "web", partition: 0, text: text) }
    try producer.flush(timeout: patience)
    try end(producer)
  }

  private func commit(_ producer: Producer) throws {
    try producer.commitTransaction(timeout: patience)
  }

  private func abort(_ producer: Producer) throws {
    try producer.abortTransaction(timeout: patience)
  }

  // MARK: Topics

  @Test func `an unknown topic is a configuration error`() throws {
    let source = try KafkaSource(options(broker.brokers, "nowhere"))
    let error = caught { _ = try source.open(resume: []) }
    guard case .configuration(let message)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(message.contains("nowhere") && message.contains("--topic"))
  }

  @Test func `every record of every partition comes once and in order`() throws {
    try create("web", 3)
    try fill(broker.brokers, "web", 0..<600, partitions: 3)
    let source = try bounded(broker.brokers, "web")
    _ = try source.open(resume: [])
    let harvest = try source.readToStop(partitions: 3)
    #expect(harvest.records.count == 600)
    for partition in 0..<Int32(3) {
      #expect(
        harvest.texts(of: partition)
          == stride(from: Int(partition), to: 600, by: 3).map { "r\($0)" })
    }
  }

  @Test func `a partition added while reading is named and then read from its beginning`() throws {
    try create("web", 1)
    try fill(broker.brokers, "web", 0..<3)
    let source = try KafkaSource(options(broker.brokers, "web"))
    _ = try source.open(resume: [])
    var harvest = Harvest()
    try source.read(&harvest) { $0.records.count == 3 }
    try admin.setPartitions("web", to: 2, timeout: patience)
    try fill(broker.brokers, "web", 0..<4, partitions: 2, prefix: "new")
    var added: [PartitionStart] = []
    try source.read(&harvest) {
      added += source.takeAddedPartitions()
      return $0.texts(of: 1).count == 2
    }
    #expect(added == [PartitionStart(partition: 1, nextOffset: 0)])
    #expect(harvest.texts(of: 1) == ["new1", "new3"])
    try source.read(&harvest) { $0.records.count == 7 }
    #expect(harvest.texts(of: 0) == ["r0", "r1", "r2", "new0", "new2"])
  }

  @Test func `a topic that is deleted while it is read ends the run`() throws {
    try create("web", 1)
    try fill(broker.brokers, "web", 0..<3)
    let source = try KafkaSource(options(broker.brokers, "web"))
    _ = try source.open(resume: [])
    var harvest = Harvest()
    try source.read(&harvest) { $0.records.count == 3 }
    try admin.deleteTopic("web", timeout: patience)
    let error = #expect(throws: SourceError.self) { try source.read(&harvest) { _ in false } }
    #expect(error?.exitCode == .configuration || error?.exitCode == .inputLost)
  }

  // MARK: Transactions

  @Test func `committed records are seen, aborted ones are not, and their gaps are no matter`()
    throws
  {
    try create("web")
    let producer = try transactional("one")
    try write(producer, ["a", "b"], commit)
    try write(producer, ["x", "y"], abort)
    try write(producer, ["c"], commit)
    let source = try bounded(broker.brokers, "web")
    _ = try source.open(resume: [])
    let harvest = try source.readToStop(partitions: 1)
    #expect(harvest.texts(of: 0) == ["a", "b", "c"])
    // a b [commit] x y [abort] c [commit]: the last record is 6, the end behind its marker 8.
    #expect(harvest.offsets(of: 0) == [0, 1, 6])
    #expect(harvest.positions[0] == 8)
    #expect(harvest.stops[0] == 1)
  }

  @Test func `a log that ends in an aborted transaction is read to its end`() throws {
    try create("web")
    let producer = try transactional("one")
    try write(producer, ["a"], commit)
    try write(producer, ["x", "y"], abort)
    let source = try bounded(broker.brokers, "web")
    _ = try source.open(resume: [])
    let harvest = try source.readToStop(partitions: 1)
    #expect(harvest.texts(of: 0) == ["a"])
    #expect(harvest.positions[0] == 5)
  }

  @Test func `an open transaction ends a bounded run before it`() throws {
    try create("web")
    let first = try transactional("one")
    let second = try transactional("two")
    try write(first, ["a"], commit)
    try write(second, ["open"]) { _ in }
    try write(first, ["behind"], commit)
    let source = try bounded(broker.brokers, "web")
    #expect(try source.open(resume: []).map(\.stopOffset) == [2])
    let harvest = try source.readToStop(partitions: 1)
    #expect(harvest.texts(of: 0) == ["a"])
    #expect(harvest.positions[0] == 2)
  }

  @Test func `the end that is answered is the last stable offset`() throws {
    try create("web")
    let producer = try transactional("one")
    try write(producer, ["a"], commit)
    try write(producer, ["open"]) { _ in }
    let source = try KafkaSource(options(broker.brokers, "web"))
    _ = try source.open(resume: [])
    source.requestEnds(of: [0])
    var ends: [PartitionEnd] = []
    var harvest = Harvest()
    try source.read(&harvest) { _ in
      ends += source.takeEnds()
      return !ends.isEmpty
    }
    #expect(ends.map(\.end) == [2])
    try source.read(&harvest) { _ in source.isAtEnd(0) }
    #expect(source.progress(of: 0).nextOffset == 2)
    try producer.commitTransaction(timeout: patience)
    try source.read(&harvest) { $0.records.count == 2 }
    #expect(harvest.texts(of: 0) == ["a", "open"])
  }

  @Test func `a run resumes behind control records`() throws {
    try create("web")
    let producer = try transactional("one")
    try write(producer, ["a", "b"], commit)
    let first = try bounded(broker.brokers, "web")
    _ = try first.open(resume: [])
    _ = try first.readToStop(partitions: 1)
    let progress = first.progress(partitions: 1)
    #expect(progress.map(\.nextOffset) == [3])
    try write(producer, ["c"], commit)
    let second = try bounded(broker.brokers, "web")
    _ = try second.open(resume: progress)
    #expect(try second.readToStop(partitions: 1).texts(of: 0) == ["c"])
  }

  // MARK: Times

  @Test(arguments: [
    (from: Microseconds(0), first: Int64(0)), (4_000_000, 4), (4_000_001, 5), (4_999_000, 5),
    (9_000_000, 9), (9_500_000, 10),
  ])
  func `a start by time begins with the first record at or after it`(
    from: Microseconds, first: Int64
  ) throws {
    try create("web")
    try fill(broker.brokers, "web", 0..<10) { Int64($0) * 1_000 + ($0 == 0 ? 1 : 0) }
    let source = try KafkaSource(
      options(broker.brokers, "web") {
        $0.start = .time(from)
        $0.stopAtEnd = true
      })
    #expect(try source.open(resume: []).map(\.nextOffset) == [first])
    #expect(try source.readToStop(partitions: 1).offsets(of: 0) == Array(first..<10))
  }

  // MARK: Lost input

  private func readThree() throws -> [PartitionProgress] {
    try create("web")
    try fill(broker.brokers, "web", 0..<3)
    let source = try bounded(broker.brokers, "web")
    _ = try source.open(resume: [])
    _ = try source.readToStop(partitions: 1)
    return source.progress(partitions: 1)
  }

  @Test func `records deleted unread stop the run and are counted`() throws {
    let progress = try readThree()
    try fill(broker.brokers, "web", 3..<20)
    try admin.deleteRecords(topic: "web", partition: 0, before: 10, timeout: patience)
    let source = try bounded(broker.brokers, "web")
    guard case .inputLost(let message)? = caught({ _ = try source.open(resume: progress) }) else {
      Issue.record("not noticed")
      return
    }
    #expect(message.contains("7 offsets from 3") && message.contains("--on-data-loss continue"))
  }

  @Test func `records deleted unread are passed over and counted where that is accepted`() throws {
    let progress = try readThree()
    try fill(broker.brokers, "web", 3..<20)
    try admin.deleteRecords(topic: "web", partition: 0, before: 10, timeout: patience)
    let source = try KafkaSource(
      options(broker.brokers, "web") {
        $0.stopAtEnd = true
        $0.onDataLoss = .continue
      })
    let starts = try source.open(resume: progress)
    #expect(starts.map(\.nextOffset) == [10] && starts.map(\.lostOffsets) == [7])
    #expect(try source.readToStop(partitions: 1).offsets(of: 0) == Array(10..<20))
  }

  @Test func `records that were read may be deleted`() throws {
    let progress = try readThree()
    try fill(broker.brokers, "web", 3..<6)
    try admin.deleteRecords(topic: "web", partition: 0, before: 3, timeout: patience)
    let source = try bounded(broker.brokers, "web")
    _ = try source.open(resume: progress)
    #expect(try source.readToStop(partitions: 1).offsets(of: 0) == [3, 4, 5])
  }

  @Test func `a topic deleted and made anew is recognised`() throws {
    let progress = try readThree()
    try admin.deleteTopic("web", timeout: patience)
    try create("web")
    try fill(broker.brokers, "web", 0..<8, prefix: "other")
    let source = try bounded(broker.brokers, "web")
    let error = caught {
      _ = try source.open(resume: progress)
      _ = try source.readToStop(partitions: 1)
    }
    guard case .inputLost(let message)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(message.contains("recreated"))
  }

  @Test func `a topic made anew that grows beyond our position is recognised while it is read`()
    throws
  {
    try create("web")
    try fill(broker.brokers, "web", 0..<3)
    let source = try KafkaSource(options(broker.brokers, "web") { $0.shrinkPatience = patience })
    _ = try source.open(resume: [])
    var harvest = Harvest()
    try source.read(&harvest) { _ in source.isAtEnd(0) }
    try admin.deleteTopic("web", timeout: patience)
    try create("web")
    // In doubt now: the log ends before our position, as a new leader's may for a while.
    try source.read(&harvest) { _ in source.hasQueued(0) }
    try fill(broker.brokers, "web", 0..<8, prefix: "other")
    let error = caught { try source.read(&harvest) { $0.records.count > 3 } }
    guard case .inputLost(let message)? = error else {
      Issue.record("\(String(describing: error)); \(harvest.records)")
      return
    }
    #expect(message.contains("recreated"))
    #expect(harvest.texts(of: 0) == ["r0", "r1", "r2"])
  }

  /// Control records stand where the record read last should be.
  @Test(arguments: [nil, "another"], [false, true])
  func `a record read last that is gone is looked for in vain in another cluster only`(
    known: String?, hasMore: Bool
  ) throws {
    try create("web")
    let producer = try transactional("one")
    try write(producer, ["a"], commit)
    // Version 1, not null, then offset 1, a timestamp and a hash.
    let proof: [UInt8] = [1, 0, 1] + [UInt8](repeating: 0, count: 23)
    let progress = [PartitionProgress(partition: 0, nextOffset: 2, proof: proof)]
    if hasMore { try write(producer, ["b"], commit) }
    let source = try KafkaSource(options(broker.brokers, "web") { $0.knownCluster = known })
    let error = caught {
      _ = try source.open(resume: progress)
      var harvest = Harvest()
      try source.read(&harvest) { _ in source.isAtEnd(0) }
      #expect(harvest.texts(of: 0) == (hasMore ? ["b"] : []))
    }
    if known == nil {
      #expect(error == nil)
    } else {
      #expect(error?.exitCode == .inputLost)
    }
  }

  @Test(arguments: [KafkaSourceOptions.DataLossPolicy.stop, .continue])
  func `a topic made anew that stays shorter is recognised while it is read`(
    policy: KafkaSourceOptions.DataLossPolicy
  ) throws {
    try create("web")
    let source = try KafkaSource(options(broker.brokers, "web") { $0.onDataLoss = policy })
    _ = try source.open(resume: [])
    var harvest = Harvest()
    try fill(broker.brokers, "web", 0..<3)
    try source.read(&harvest) { $0.records.count == 3 }
    try admin.deleteTopic("web", timeout: patience)
    try create("web")
    let error = caught {
      try source.read(&harvest) { _ in
        source.takeNotices().contains { $0.contains("recreated") }
      }
    }
    if policy == .stop {
      guard case .inputLost? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    } else {
      #expect(error == nil)
      try fill(broker.brokers, "web", 0..<2, prefix: "other")
      try source.read(&harvest) { $0.records.count == 5 }
      #expect(harvest.offsets(of: 0) == [0, 1, 2, 0, 1])
    }
  }

  // MARK: The group

  @Test func `mirrored offsets are the group's committed offsets`() throws {
    try create("web")
    try fill(broker.brokers, "web", 0..<5)
    let source = try KafkaSource(options(broker.brokers, "web"))
    _ = try source.open(resume: [])
    _ = try source.read(count: 5)
    source.mirror([(partition: 0, nextOffset: 4)])
    source.close()
    let reader = try Consumer(KafkaConfiguration(brokers: broker.brokers), group: "job")
    #expect(try reader.committed(topic: "web", partitions: [0], timeout: patience) == [4])
  }
}

import KafkaClient
import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// Transactions, on a broker that has them.
@Suite(.disabled(if: SecondBroker.isMissing, Comment(rawValue: SecondBroker.skipMessage)))
struct KafkaTransactionTests {
  private static func claimant(_ claim: SinkClaim, _ owner: UInt8 = 1) -> SinkClaimant {
    SinkClaimant(
      identity: SampleRows.identity, owner: SampleRows.owner(owner), claim: claim, adopt: false)
  }

  @Test func `rows whose transaction was not committed are never seen, nor counted`() throws {
    let home = TransactionalKafkaHome()
    let (sink, _) = try home.open()
    let rows = SampleRows.batch(0..<10)
    try sink.write(after: nil, rows: rows)
    sink.close()
    // More than the first look at the log's end takes in.
    let killed = try home.leaveOpen(SampleRows.batch(10..<400))
    let (next, position) = try home.open(2)
    #expect(position == rows.lastPosition)
    try next.write(after: position, rows: SampleRows.batch(10..<20))
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<20)))
    withExtendedLifetime(killed) {}
  }

  @Test func `behind aborted records the position is found however many they are`() throws {
    let home = TransactionalKafkaHome()
    let rows = SampleRows.batch(0..<10)
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: rows)
    for _ in 0..<3 {
      try home.leaveOpen(SampleRows.batch(0..<700), id: "another")
        .abortTransaction(timeout: KafkaHome.patience)
    }
    #expect(try home.open(2).1 == rows.lastPosition)
  }

  @Test func `another producer's open transaction is waited for`() throws {
    let home = TransactionalKafkaHome()
    let other = try home.leaveOpen(SampleRows.batch(0..<5), id: "another")
    let error = failure { () throws(SinkError) in
      _ = try home.makeSink().open(Self.claimant(.first), acknowledged: nil)
    }
    #expect(error?.kind == "unavailable")
    #expect(error?.description.contains("transaction of another producer") == true)
    try other.abortTransaction(timeout: KafkaHome.patience)
    #expect(try home.open().1 == nil)
  }

  @Test func `a transaction that the brokers ended is no other owner`() throws {
    let home = TransactionalKafkaHome()
    let (sink, _) = try home.open()
    // The same id without a claim: to the sink it looks like a time-out.
    let fencing = try home.producer([("transactional.id", "sojourn-sink.sessions")])
    try fencing.initTransactions(timeout: KafkaHome.patience)
    let rows = SampleRows.batch(0..<5)
    let error = failure { () throws(SinkError) in try sink.write(after: nil, rows: rows) }
    #expect(error?.kind == "unavailable")
    #expect(try sink.open(Self.claimant(.again), acknowledged: nil) == nil)
    try sink.write(after: nil, rows: rows)
    #expect(try home.lines() == SampleRows.lines(rows))
  }

  @Test func `where retention emptied a partition the state's word counts, too`() throws {
    let home = TransactionalKafkaHome()
    // A compacted topic lets nobody delete its records.
    home.delete()
    try home.admin().createTopic(
      KafkaHome.topic, partitions: KafkaHome.partitions, replicas: 1,
      configuration: [("retention.ms", "-1")], timeout: KafkaHome.patience)
    let (sink, _) = try home.open()
    let rows = SampleRows.batch(0..<40)
    try sink.write(after: nil, rows: rows)
    sink.close()
    let last = try #require(try home.records().first { $0.key == rows.lastPosition?.sessionID.hex })
    let end = try home.admin().offsets(
      .end, topic: KafkaHome.topic, partitions: [last.partition], timeout: KafkaHome.patience)
    try home.admin().deleteRecords(
      topic: KafkaHome.topic, partition: last.partition, before: try #require(end[0]),
      timeout: KafkaHome.patience)
    let next = home.makeSink()
    let known = rows.lastPosition
    #expect(try next.open(Self.claimant(.first, 2), acknowledged: known) == known)
    let older = SampleRows.batch(0..<2).lastPosition
    let found = try home.makeSink().open(Self.claimant(.first, 3), acknowledged: older)
    #expect(found! > older! && found! < known!)
  }

  @Test func `rows written without transactions say nothing of those before them`() throws {
    let home = TransactionalKafkaHome()
    var address = home.address
    address.isTransactional = false
    let plain = home.makeSink(address)
    _ = try plain.open(Self.claimant(.first), acknowledged: nil)
    try plain.write(after: nil, rows: SampleRows.batch(5..<10))
    plain.close()
    let sink = home.makeSink()
    let known = SampleRows.batch(0..<3).lastPosition
    #expect(try sink.open(Self.claimant(.first, 2), acknowledged: known) == known)
  }

  @Test func `what users deleted hides neither the owner nor the position`() throws {
    let home = TransactionalKafkaHome()
    let (sink, _) = try home.open()
    let rows = SampleRows.batch(0..<40)
    try sink.write(after: nil, rows: rows)
    sink.close()
    let last = try #require(try home.records().first { $0.key == rows.lastPosition?.sessionID.hex })
    let producer = try home.producer()
    for partition in 0..<KafkaHome.partitions {
      // More than the first look at the log's end takes in.
      for number in 0..<100 { try producer.send("\(number)", nil, partition: partition) }
    }
    try producer.send(last.key, nil, partition: last.partition)
    #expect(try home.open(2).1 == rows.lastPosition)
  }

  @Test func `a row that is in the topic twice arrives twice`() throws {
    let home = TransactionalKafkaHome()
    let (sink, _) = try home.open()
    try sink.write(after: nil, rows: SampleRows.batch(0..<20))
    let producer = try home.producer()
    for record in try home.records().prefix(3) {
      try record.produce(to: KafkaHome.topic, producer)
    }
    try producer.flush(timeout: KafkaHome.patience)
    let arrived = try Sinks.arrivedRows(home.address, table: .sessions)
    var count = 0
    while try arrived.next() != nil { count += 1 }
    #expect(count == 23)
  }

  @Test func `a missing topic is made compacted, another is used and said so`() throws {
    let home = TransactionalKafkaHome()
    home.delete()
    let sink = home.makeSink()
    #expect(sink.isMissing)
    _ = try sink.open(Self.claimant(.first), acknowledged: nil)
    #expect(sink.remark == nil)
    let policy = try home.admin().setting(
      "cleanup.policy", ofTopic: KafkaHome.topic, timeout: KafkaHome.patience)
    #expect(policy == "compact")
    home.delete()
    try home.admin().createTopic(
      KafkaHome.topic, partitions: 1, replicas: 1, timeout: KafkaHome.patience)
    let other = home.makeSink()
    _ = try other.open(Self.claimant(.first, 2), acknowledged: nil)
    #expect(other.remark?.contains("not compacted") == true)
  }

  @Test(arguments: [false, true])
  func `a topic that is deleted while in use is not made again by a write`(
    _ isTransactional: Bool
  ) throws {
    let home = TransactionalKafkaHome()
    var address = home.address
    address.isTransactional = isTransactional
    address.cluster = home.configuration.overriding([("message.timeout.ms", "2000")])
    let sink = home.makeSink(address)
    _ = try sink.open(Self.claimant(.first), acknowledged: nil)
    home.delete()
    let error = failure { () throws(SinkError) in
      try sink.write(after: nil, rows: SampleRows.batch(0..<5))
    }
    #expect(error?.kind == "unavailable", "\(String(describing: error))")
    #expect(home.makeSink().isMissing)
    let again = failure { () throws(SinkError) in
      _ = try sink.open(Self.claimant(.again), acknowledged: nil)
    }
    #expect(again?.kind == "unavailable", "\(String(describing: again))")
    #expect(home.makeSink().isMissing)
  }

  @Test func `late records come once, whatever became of the last batch`() throws {
    let home = TransactionalKafkaHome()
    func record(_ number: Int) -> SideEntry {
      .record(
        SideRecord(
          partition: Int32(number % 3), offset: Int64(number), reason: 1, recordTime: .never,
          valueLength: 2, payload: Array("{}".utf8)))
    }
    func open(_ owner: UInt8, _ claim: SinkClaim = .first) throws -> any SideSink {
      let sink = try Sinks.make(SideFormat(.late, topic: "web"), home.address)
      try sink.open(
        identity: SampleRows.identity, owner: SampleRows.owner(owner), claim: claim, adopt: false)
      return sink
    }
    let first = try open(1)
    try first.write((0..<300).map(record))
    try first.write((300..<500).map(record))
    #expect(!first.holds(record(400)))
    let second = try open(2)
    #expect((0..<600).filter { second.holds(record($0)) } == Array(300..<500))
    let fenced = failure { () throws(SinkError) in try first.write([record(600)]) }
    #expect(fenced?.kind == "takenOver")
    try second.write([record(500)])
    let records = try home.records()
    #expect(records.count == 501)
    #expect(Set(records.map(\.key)).contains("web-2-500"))
    // A topic of late records is no table of sessions.
    let error = failure { () throws(SinkError) in
      _ = try home.makeSink().open(Self.claimant(.first, 3), acknowledged: nil)
    }
    #expect(error?.kind == "foreign")
  }
}

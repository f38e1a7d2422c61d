import KafkaClient
import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// What is Kafka's own, without transactions.
@Suite struct KafkaSinkTests {
  private static let claimant = SinkClaimant(
    identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: false)

  @Test func `rows behind what the state knows are sent again with the same bytes`() throws {
    let home = PlainKafkaHome()
    let (sink, _) = try home.open(1)
    try sink.write(after: nil, rows: SampleRows.batch(0..<20))
    let known = SampleRows.batch(0..<12).lastPosition
    let next = home.makeSink()
    #expect(try next.open(Self.claimant, acknowledged: known) == known)
    try next.write(after: known, rows: SampleRows.batch(12..<30))
    let records = try home.records()
    #expect(records.count == 38)
    #expect(Set(records.map { $0.key + $0.text }).count == 30)
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<30)))
  }

  @Test func `an older process is not stopped, and the last values stay right`() throws {
    let home = PlainKafkaHome()
    let (old, _) = try home.open(1)
    let (new, _) = try home.open(2)
    let rows = SampleRows.batch(0..<10)
    try old.write(after: nil, rows: rows)
    try new.write(after: nil, rows: rows)
    try old.write(after: rows.lastPosition, rows: SampleRows.batch(10..<12))
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<12)))
  }

  @Test func `a record says what it is, from whom, and of which row`() throws {
    let home = PlainKafkaHome()
    let (sink, _) = try home.open()
    let rows = SampleRows.batch(0..<1)
    try sink.write(after: nil, rows: rows)
    let record = try #require(try home.records().first)
    #expect(record.key == rows.lastPosition?.sessionID.hex)
    #expect(
      record.headers == [
        "sojourn-job": "web", "sojourn-fingerprint": SampleRows.identity.fingerprint.text,
        "sojourn-delivery": "plain", "sojourn-position": "\(rows.lastPosition!)",
      ])
  }

  @Test(
    arguments: [
      (10, "unsuitable"), (87, "unsuitable"), (29, "authentication"), (7, nil),
    ] as [(Int32, String?)])
  func `what brokers answer to rows becomes the right error`(code: Int32, kind: String?) throws {
    let home = PlainKafkaHome()
    let (sink, _) = try home.open()
    home.cluster.failNext(.produce, with: [code])
    let error = failure { () throws(SinkError) in
      try sink.write(after: nil, rows: SampleRows.batch(0..<1))
    }
    #expect(error?.kind == kind, "\(String(describing: error))")
    if kind == nil { return }
    #expect(try sink.open(Self.again, acknowledged: nil) == nil)
    try sink.write(after: nil, rows: SampleRows.batch(0..<3))
    #expect(try home.lines().count == 3)
  }

  private static var again: SinkClaimant {
    var claimant = claimant
    claimant.claim = .again
    return claimant
  }

  @Test func `brokers that are down make the sink unavailable until they are back`() throws {
    let home = PlainKafkaHome()
    var address = home.address
    address.cluster = home.configuration.overriding([
      ("message.timeout.ms", "500"), ("reconnect.backoff.max.ms", "100"),
    ])
    let sink = home.makeSink(address)
    _ = try sink.open(Self.claimant, acknowledged: nil)
    try home.cluster.setDown(1)
    let error = failure { () throws(SinkError) in
      try sink.write(after: nil, rows: SampleRows.batch(0..<5))
    }
    #expect(error?.kind == "unavailable")
    try home.cluster.setUp(1)
    #expect(try sink.open(Self.again, acknowledged: nil) == nil)
    try sink.write(after: nil, rows: SampleRows.batch(0..<5))
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<5)))
  }

  @Test func `rows arrive as they were written, whatever their partitions`() throws {
    let home = PlainKafkaHome()
    let (sink, _) = try home.open()
    let rows = SampleRows.batch(0..<2_000)
    try sink.write(after: nil, rows: rows)
    // Sent again, as after a kill, and one deleted by a user.
    let (next, _) = try home.open(2)
    try next.write(after: nil, rows: rows)
    let lines = SampleRows.lines(rows)
    let key = try #require(lines[7].split(separator: "\"").first { $0.utf8.count == 64 })
    let place = try #require(try home.records().first { $0.key == key })
    try home.producer().send(String(key), nil, partition: place.partition)
    let arrived = try Sinks.arrivedRows(home.address, table: .sessions)
    var found: [String] = []
    while let row = try arrived.next() { found.append(String(decoding: row, as: UTF8.self)) }
    #expect(found == Array(lines[..<7] + lines[8...]))
  }

  @Test func `the newest record of all partitions says whose the topic is`() throws {
    let home = PlainKafkaHome()
    try home.open().0.write(after: nil, rows: SampleRows.batch(0..<1))
    let ours = try #require(try home.records().first).partition
    let producer = try home.producer()
    // ms since 1970: long ago, and long after this test.
    for (time, kind) in [(1_000, nil), (4_000_000_000_000, "foreign")] as [(Int64, String?)] {
      try producer.produce(
        topic: KafkaHome.topic, partition: (ours + 1) % KafkaHome.partitions, key: "somebody's",
        text: "{}", timestamp: time)
      try producer.flush(timeout: KafkaHome.patience)
      let error = failure { () throws(SinkError) in
        _ = try home.makeSink().open(Self.claimant, acknowledged: nil)
      }
      #expect(error?.kind == kind, "\(String(describing: error))")
    }
  }

  @Test func `settings that would let rows come doubled or out of order are refused`() throws {
    let home = PlainKafkaHome()
    for (name, value) in [("enable.idempotence", "false"), ("acks", "1")] {
      var address = home.address
      address.cluster = home.configuration.overriding([(name, value)])
      let error = failure { () throws(SinkError) in
        _ = try home.makeSink(address).open(Self.claimant, acknowledged: nil)
      }
      #expect(error?.kind == "unsuitable", "\(name): \(String(describing: error))")
    }
  }

  // MARK: - Addresses

  @Test(arguments: [
    "kafka:a b", "kafka:a/b", "kafka:..", "kafka:?brokers=b:1", "kafka:t?x=y", "kafka:t?brokers",
    "kafka:t?brokers=b:1&brokers=c:1", "kafka:t?properties=f",
    "kafka:\(String(repeating: "t", count: 250))", "kafka:t",
  ])
  func `an address that cannot be meant, or without brokers, is refused`(_ text: String) throws {
    let address = try SinkAddress(parsing: text)
    #expect(throws: SinkAddressError.self) { try Sinks.make(address, table: .sessions) }
  }

  @Test func `one topic under two names is found, settings or not`() throws {
    var one = try SinkAddress(parsing: "kafka:t?brokers=b:1")
    var other = try SinkAddress(parsing: "other=kafka:t")
    one.cluster = KafkaConfiguration(brokers: "b:1", properties: [("client.id", "x")])
    other.cluster = KafkaConfiguration(brokers: "b:1")
    #expect(Sinks.sharing([one, other])?.1 == "other")
    other.cluster = KafkaConfiguration(brokers: "c:1")
    #expect(Sinks.sharing([one, other]) == nil)
  }
}

import KafkaClient
import Platform
import SessionModel
import Sinks
import TestSupport
import Testing

/// Commits of transactions that are lost on their way to the broker, or whose answers are.
@Suite(.disabled(if: SecondBroker.isMissing, Comment(rawValue: SecondBroker.skipMessage)))
struct KafkaCommitTests {
  private let home = TransactionalKafkaHome()
  private let proxy: BrokerProxy
  private let first = SampleRows.batch(0..<10)
  private let second = SampleRows.batch(10..<30)

  init() throws {
    proxy = try BrokerProxy(home.broker.brokers)
  }

  /// A sink that comes to the broker through the proxy, with the first rows written.
  private func begin(commitTimeout: Int64? = nil) throws -> KafkaSink {
    var address = home.address
    address.cluster = KafkaConfiguration(
      brokers: proxy.brokers, properties: [("reconnect.backoff.ms", "10")])
    let sink = KafkaSink(try KafkaAddress(address), commitTimeout: commitTimeout)
    let held = try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .first, adopt: false)
    #expect(held == nil)
    try sink.write(after: nil, rows: first)
    return sink
  }

  private func openAgain(_ sink: KafkaSink) throws(SinkError) -> RowPosition? {
    try sink.open(
      identity: SampleRows.identity, owner: SampleRows.owner(1), claim: .again, adopt: false)
  }

  /// What the topic must hold while nobody has gone on.
  private func committed(_ lost: BrokerLoss.Part) -> RowPosition? {
    (lost == .answer ? second : first).lastPosition
  }

  @Test(arguments: BrokerLoss.Part.allCases)
  func `a commit whose outcome stays unknown is read back from the topic`(
    _ lost: BrokerLoss.Part
  ) throws {
    let sink = try begin(commitTimeout: 1_500_000)
    proxy.lose(BrokerLoss(BrokerLoss.endOfTransaction, lost, count: .max))
    let error = failure { () throws(SinkError) in
      try sink.write(after: first.lastPosition, rows: second)
    }
    #expect(error?.kind == "unavailable", "\(String(describing: error))")
    #expect(proxy.waitForLoss(within: 0))
    let latched = failure { () throws(SinkError) in
      try sink.write(after: first.lastPosition, rows: second)
    }
    #expect(latched?.kind == "unavailable")
    proxy.lose(nil)
    let held = try openAgain(sink)
    #expect(held == committed(lost))
    if lost == .request { try sink.write(after: held, rows: second) }
    try sink.write(after: second.lastPosition, rows: SampleRows.batch(30..<31))
    #expect(try home.lines() == SampleRows.lines(SampleRows.batch(0..<31)))
  }

  @Test(arguments: BrokerLoss.Part.allCases)
  func `a commit that is lost once costs no row and doubles none`(
    _ lost: BrokerLoss.Part
  ) throws {
    let sink = try begin(commitTimeout: 10_000_000)
    proxy.lose(BrokerLoss(BrokerLoss.endOfTransaction, lost, count: 1))
    // librdkafka asks once more by itself.
    let error = failure { () throws(SinkError) in
      try sink.write(after: first.lastPosition, rows: second)
    }
    #expect(error.map { $0.kind == "unavailable" } ?? true, "\(String(describing: error))")
    #expect(proxy.waitForLoss(within: 0))
    let held = error == nil ? second.lastPosition : try openAgain(sink)
    if held == first.lastPosition { try sink.write(after: held, rows: second) }
    #expect(try home.open(2).1 == second.lastPosition)
    #expect(try home.lines() == SampleRows.lines(first, second))
  }

  @Test(arguments: BrokerLoss.Part.allCases)
  func `a process that takes over in the midst of a commit learns how it ended`(
    _ lost: BrokerLoss.Part
  ) throws {
    let old = try begin()
    proxy.lose(BrokerLoss(BrokerLoss.endOfTransaction, lost, count: .max))
    let (first, second) = (first, second)
    let end = Monitor<SinkError?>(nil)
    let held = Unchecked(old)
    let writer = try WorkerThread("old-process") {
      let error = failure { () throws(SinkError) in
        try held.value.write(after: first.lastPosition, rows: second)
      }
      end.change { $0 = error }
    }
    #expect(proxy.waitForLoss(within: 20))
    let (new, position) = try home.open(2)
    #expect(position == committed(lost))
    proxy.lose(nil)
    writer.join()
    #expect(end.read { $0 }?.kind == "takenOver", "\(String(describing: end.read { $0 }))")
    if lost == .request { try new.write(after: position, rows: second) }
    #expect(try home.lines() == SampleRows.lines(first, second))
  }

  @Test func `the rows of a write are one transaction, with as long as all its waits need`() throws
  {
    let sink = try begin()
    let before = proxy.requests(BrokerLoss.endOfTransaction)
    try sink.write(after: first.lastPosition, rows: SampleRows.batch(10..<5_010))
    #expect(proxy.requests(BrokerLoss.endOfTransaction) == before + 1)
    // The id, and behind it the limit in ms.
    let request = try #require(proxy.lastRequest(BrokerLoss.beginningOfProducer))
    let limit = Array("sojourn-sink.sessions".utf8) + [0, 0x01, 0xD4, 0xC0]
    #expect(request.contains(limit))
  }
}

/// What one thread hands to another and leaves alone then.
private struct Unchecked<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}

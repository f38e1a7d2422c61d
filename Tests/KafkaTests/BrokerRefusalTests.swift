import EventSources
import KafkaClient
import Platform
import SessionModel
import TestSupport
import Testing

/// What cannot pass ends a start or a run; what looks alike and can pass does not.
@Suite struct BrokerRefusalTests {
  private func secured(_ broker: String, _ properties: [(String, String)]) throws -> KafkaSource {
    try KafkaSource(
      options(broker, "web") {
        $0.configuration = KafkaConfiguration(
          brokers: broker, properties: [("reconnect.backoff.ms", "10")] + properties)
      })
  }

  private static let plain = [
    ("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "PLAIN"),
    ("sasl.username", "user"), ("sasl.password", "not-the-password"),
  ]

  @Test func `credentials that the broker refuses end the start, without the password`() throws {
    let broker = try SASLBroker(.refuseCredentials("Authentication failed: no such user"))
    let source = try secured(broker.address, Self.plain)
    guard case .authentication(let message)? = caught({ _ = try source.open(resume: []) }) else {
      Issue.record("not noticed")
      return
    }
    #expect(message.contains("no such user") && message.contains("unchanged"))
    #expect(!message.contains("not-the-password"))
  }

  @Test func `a mechanism that the broker does not offer ends the start`() throws {
    let broker = try SASLBroker(.refuseMechanism)
    let source = try secured(broker.address, Self.plain)
    guard case .authentication(let message)? = caught({ _ = try source.open(resume: []) }) else {
      Issue.record("not noticed")
      return
    }
    #expect(message.contains("SCRAM-SHA-512"))
  }

  @Test(arguments: [17, 36] as [Int16])
  func `a broker that hangs up during SASL is waited for`(request: Int16) throws {
    let broker = try SASLBroker(.hangUp(request: request))
    let source = try secured(broker.address, Self.plain)
    var notices: [String] = []
    let deadline = Clock.monotonic + patience
    while !notices.contains(where: { $0.contains("waiting until they answer") }) {
      #expect(try source.open(resume: [], maxWait: 50_000) == nil)
      notices += source.takeNotices()
      try #require(Clock.monotonic < deadline)
    }
    #expect(broker.wait(forAttempts: 3, within: 20))
    source.close()
  }

  @Test(.enabled(if: !TLSListener.isMissing, Comment(rawValue: TLSListener.skipMessage)))
  func `a certificate that nobody known has signed ends the start after a while`() throws {
    let listener = try TLSListener()
    let source = try secured(
      listener.address,
      [("security.protocol", "SSL"), ("ssl.ca.location", listener.strangeAuthority)])
    guard case .authentication(let message)? = caught({ _ = try source.open(resume: []) }) else {
      Issue.record("not noticed; \(source.takeNotices())")
      return
    }
    #expect(message.contains("TLS") && message.contains("ssl.ca.location"))
  }

  /// With TLS 1.3 the handshake is over for the client before the broker turns it away.
  @Test(.enabled(if: !TLSListener.isMissing, Comment(rawValue: TLSListener.skipMessage)))
  func `a client without the certificate that the broker demands ends the start after a while`()
    throws
  {
    let listener = try TLSListener(demandsCertificate: true)
    let source = try secured(
      listener.address,
      [
        ("security.protocol", "SSL"), ("ssl.ca.location", listener.authority),
        ("ssl.endpoint.identification.algorithm", "none"),
      ])
    guard case .authentication(let message)? = caught({ _ = try source.open(resume: []) }) else {
      Issue.record("not noticed; \(source.takeNotices())")
      return
    }
    for part in ["certificate required", "ssl.certificate.location"] {
      #expect(message.contains(part))
    }
  }

  @Test(.enabled(if: !TLSListener.isMissing, Comment(rawValue: TLSListener.skipMessage)))
  func `a client without TLS at a port with TLS is told what it may be`() throws {
    let listener = try TLSListener()
    let source = try secured(listener.address, [])
    var notices: [String] = []
    let deadline = Clock.monotonic + patience
    while !notices.contains(where: { $0.contains("waiting until they answer") }) {
      #expect(try source.open(resume: [], maxWait: 50_000) == nil)
      notices += source.takeNotices()
      try #require(Clock.monotonic < deadline)
    }
    #expect(notices.contains { $0.contains("security.protocol") }, "\(notices)")
    source.close()
  }

  /// 29 TOPIC_AUTHORIZATION_FAILED, 35 UNSUPPORTED_VERSION.
  @Test(arguments: [29, 35] as [Int32])
  func `a refused fetch ends the reading`(code: Int32) throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    try fill(cluster.brokers, "web", 0..<10)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    _ = try source.open(resume: [])
    var harvest = Harvest()
    // The embedded cluster sends the high watermark along with the error, which real brokers do not;
    // librdkafka would then tell of the end of the log, if it had not yet, in place of the error.
    try source.read(&harvest) { $0.records.count == 10 && source.isAtEnd(0) }
    cluster.failNext(.fetch, with: [code])
    let error = caught { try source.read(&harvest) { _ in false } }
    #expect(error?.exitCode == (code == 29 ? .authentication : .configuration))
  }

  @Test func `a topic that stays unknown while it is read ends the reading after a while`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    _ = try source.open(resume: [])
    cluster.setTopicError("web", code: 3)
    var harvest = Harvest()
    let error = caught { try source.read(&harvest) { _ in false } }
    guard case .configuration(let message)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(message.contains("does not exist any more"))
  }

  @Test func `a log that stays unreadable ends the reading after a while`() throws {
    let cluster = try MockCluster()
    try cluster.createTopic("web", partitions: 1)
    let source = try KafkaSource(options(cluster.brokers, "web"))
    _ = try source.open(resume: [])
    // 2 is CORRUPT_MESSAGE.
    cluster.failNext(.fetch, with: Array(repeating: 2, count: 1_000))
    var harvest = Harvest()
    let error = caught { try source.read(&harvest) { _ in false } }
    #expect(error?.exitCode == .inputOutput)
    #expect(source.takeNotices().contains { $0.contains("fetched again for a while") })
  }
}

import KafkaClient
import Platform
import SessionModel

/// The topic that is drilled upon, and the drill's hands on its cluster.
final class DrillLog {
  private static let timeout: Int64 = 60_000_000
  /// The embedded cluster keeps 5 MiB of compressed batches per partition. Events compress to about
  /// 75 bytes in the batches of a loaded log, to more in the smaller ones of a growing log.
  private static let eventsPerPartition = 35_000
  private static let liveEventsPerPartition = 15_000
  private static let leastPartitions = 4
  /// Enough for leaders to move.
  private static let brokerCount: Int32 = 3

  let topic: String
  let partitions: Int
  let brokers: String
  private let embedded: MockCluster?
  let configuration: KafkaConfiguration
  private var producer: Producer
  private var feed: EventFeed
  private var value: [UInt8] = []
  private let events: Int

  var sent: Int { feed.made }
  var isWhole: Bool { sent == events }

  /// - Throws: `DrillFailure`; a topic of that name was left alone.
  init(_ options: DrillOptions) throws(DrillFailure) {
    events = options.events
    feed = EventFeed(events: options.events, seed: options.seed)
    let each =
      options.grows ? DrillLog.liveEventsPerPartition : DrillLog.eventsPerPartition
    partitions = max(DrillLog.leastPartitions, (events + each - 1) / each)
    topic = options.cluster.map { "\($0.topicPrefix)-\(options.seed)" } ?? "drill"
    do throws(KafkaError) {
      if let cluster = options.cluster {
        embedded = nil
        brokers = cluster.brokers
        configuration = cluster.configuration
        try DrillLog.createTopic(topic, partitions: partitions, configuration)
      } else {
        let embedded = try MockCluster(
          brokers: options.faults.contains(.leaderChange) ? Int(DrillLog.brokerCount) : 1)
        try embedded.createTopic(topic, partitions: Int32(partitions))
        self.embedded = embedded
        brokers = embedded.brokers
        configuration = KafkaConfiguration(brokers: embedded.brokers)
      }
      producer = try DrillLog.makeProducer(configuration, grows: options.grows)
    } catch {
      throw DrillFailure(
        .unavailable,
        error.isTopicExists
          ? "the topic exists already; it was left alone. Name another --topic-prefix or --seed"
          : "\(error)")
    }
    grows = options.grows
  }

  private let grows: Bool

  /// More flags of `run`: where brokers come and go, it is not to wait long to connect again.
  var flags: [String] {
    embedded == nil || !grows
      ? [] : DrillLog.reconnection.flatMap { ["-X", "\($0.name)=\($0.value)"] }
  }

  private static let reconnection = [
    (name: "reconnect.backoff.ms", value: "10"), (name: "reconnect.backoff.max.ms", value: "100"),
  ]

  private static func createTopic(
    _ topic: String, partitions: Int, _ configuration: KafkaConfiguration
  ) throws(KafkaError) {
    try Inquirer(configuration).createTopic(
      topic, partitions: Int32(partitions), configuration: [("retention.ms", "-1")],
      timeout: timeout)
  }

  /// Batches as they are on a busy topic: a start reads whole ones again.
  private static func makeProducer(
    _ configuration: KafkaConfiguration, grows: Bool
  ) throws(KafkaError) -> Producer {
    try Producer(
      configuration.withDefaults([
        (name: "batch.num.messages", value: "200"),
        (name: "linger.ms", value: grows ? "5" : "200"),
      ]).withDefaults(reconnection))
  }

  // MARK: - Feeding

  /// Sends events until so many were sent in all; they may still be on their way.
  func send(upTo target: Int) throws(DrillFailure) {
    while sent < min(target, events),
      let partition = feed.next(partitions: partitions, into: &value)
    {
      var failure: KafkaError?
      value.withUnsafeBytes { bytes in
        do throws(KafkaError) {
          try producer.produce(topic: topic, partition: partition, value: bytes)
        } catch { failure = error }
      }
      if let failure { throw DrillFailure(failure) }
    }
  }

  /// Waits until everything sent is in the log.
  func flush() throws(DrillFailure) {
    do throws(KafkaError) { try producer.flush(timeout: DrillLog.timeout) } catch {
      throw DrillFailure(error)
    }
  }

  /// Checks that the log holds every event.
  ///
  /// - Throws: `DrillFailure` where the cluster has dropped some, or has others.
  func verify() throws(DrillFailure) {
    try flush()
    let numbers = (0..<partitions).map { Int32($0) }
    let lows: [Int64?]
    let highs: [Int64?]
    do throws(KafkaError) {
      let inquirer = try Inquirer(configuration)
      lows = try inquirer.offsets(
        .beginning, topic: topic, partitions: numbers, timeout: DrillLog.timeout)
      highs = try inquirer.offsets(
        .end, topic: topic, partitions: numbers, timeout: DrillLog.timeout)
    } catch {
      throw DrillFailure(error)
    }
    let kept = zip(lows, highs).reduce(0) { $0 + ($1.1 ?? 0) - ($1.0 ?? 0) }
    guard lows.allSatisfy({ $0 == 0 }), kept == Int64(sent), !highs.contains(0) else {
      throw DrillFailure(
        .unavailable,
        "the topic holds \(kept) of the \(sent) events sent, in \(partitions) partitions: the drill "
          + "cannot be run on it. Use fewer --events")
    }
  }

  /// Makes another topic, with as many partitions, if the cluster is the embedded one.
  ///
  /// - Returns: false for another cluster.
  func makeEmbeddedTopic(_ name: String) throws(DrillFailure) -> Bool {
    guard let embedded else { return false }
    do throws(KafkaError) {
      try embedded.createTopic(name, partitions: Int32(partitions))
    } catch { throw DrillFailure(error) }
    return true
  }

  /// Has the brokers answer for a topic that they have no leaders for it, or no longer so.
  func setTopic(_ name: String, isDown: Bool) {
    guard let embedded else { preconditionFailure("only the embedded cluster fails by order") }
    embedded.setTopicError(name, code: isDown ? DrillLog.leaderNotAvailable : 0)
  }

  private static let leaderNotAvailable: Int32 = 5

  /// Removes the topic that the drill made.
  func delete() {
    if embedded != nil { return }
    try? Inquirer(configuration).deleteTopic(topic, timeout: DrillLog.timeout)
  }

  // MARK: - Faults of the embedded cluster

  /// Takes brokers away; `isAll` or a random one of them.
  ///
  /// - Returns: the brokers, for `setUp`.
  func setDown(isAll: Bool, random: inout DrillRandom) throws(DrillFailure) -> [Int32] {
    guard let embedded else { preconditionFailure("only the embedded cluster fails by order") }
    // What is on its way would be lost between two producers.
    try flush()
    let all = Array(1...Int32(brokers.split(separator: ",").count))
    let chosen = isAll ? all : [random.pick(all)]
    do throws(KafkaError) {
      for broker in chosen { try embedded.setDown(broker) }
    } catch { throw DrillFailure(error) }
    return chosen
  }

  func setUp(_ brokers: [Int32]) throws(DrillFailure) {
    guard let embedded else { preconditionFailure("only the embedded cluster fails by order") }
    do throws(KafkaError) {
      for broker in brokers { try embedded.setUp(broker) }
      // librdkafka 2.0.2's idempotent producer sometimes waits without end for acknowledgements of
      // an embedded cluster that was away.
      if !isWhole { producer = try DrillLog.makeProducer(configuration, grows: grows) }
    } catch { throw DrillFailure(error) }
  }

  /// Moves the leaders of some partitions to random brokers.
  func moveLeaders(random: inout DrillRandom) throws(DrillFailure) {
    guard let embedded else { preconditionFailure("only the embedded cluster fails by order") }
    let brokers = Int64(brokers.split(separator: ",").count)
    do throws(KafkaError) {
      for _ in 0...random.below(Int64(partitions)) {
        try embedded.moveLeader(
          topic: topic, partition: Int32(random.below(Int64(partitions))),
          to: Int32(1 + random.below(brokers)))
      }
    } catch { throw DrillFailure(error) }
  }
}

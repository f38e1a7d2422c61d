package import KafkaClient
package import SessionModel

/// What a Kafka source reads and how. Times in µs.
package struct KafkaSourceOptions: Sendable {
  /// Where partitions that the state does not know are read from.
  package enum Start: Equatable, Sendable {
    case earliest
    case latest
    /// The first record at or after this time; where there is none, the log's end.
    case time(Microseconds)
  }

  /// What is done about unread records that are gone.
  package enum DataLossPolicy: Equatable, Sendable {
    case stop
    case `continue`
  }

  package var configuration: KafkaConfiguration
  package var topic: String
  /// The group to which offsets are mirrored: the job's name.
  package var group: String
  package var start: Start = .earliest
  /// Read to where the log ended at `open`, not further.
  package var stopAtEnd = false
  package var onDataLoss: DataLossPolicy = .stop
  /// The cluster that the state was read from, where it knows. Another one is read on only where the
  /// last record read is there to be recognised, partition by partition.
  package var knownCluster: String?
  /// Memory for fetched records that nobody has taken yet, over all partitions. A single fetch of
  /// well compressed records can overshoot it.
  package var queueBytes: Int64 = 256 << 20
  /// How long a topic that the state does not know may be unknown to the brokers, too, at a start:
  /// news of a new topic takes time to spread. A wrong name is noticed after this.
  package var newTopicPatience: Microseconds = 10 * .perSecond
  /// How long a topic that was read before may be unknown to the brokers, or have fewer partitions:
  /// a broker that has just started may not know of it yet (as long as librdkafka's
  /// `topic.metadata.propagation.max.ms`).
  package var topicPatience: Microseconds = 30 * .perSecond
  /// How long TLS may fail at a start while nothing else does.
  package var tlsPatience: Microseconds = 10 * .perSecond
  /// How long a broker may send what cannot be read, again and again, before the log itself is held
  /// for damaged.
  package var damagePatience: Microseconds = 10 * .perSecond
  /// How long an end of the log before our position is taken for a new leader that still catches up.
  package var shrinkPatience: Microseconds = 10 * .perSecond
  /// How often added partitions are looked for.
  package var refreshInterval: Microseconds = 10 * .perSecond
  /// How long `close` may take.
  package var closeTimeout: Microseconds = 5 * .perSecond

  package init(configuration: KafkaConfiguration, topic: String, group: String) {
    self.configuration = configuration
    self.topic = topic
    self.group = group
  }

  /// librdkafka's limits count per partition, and its bookkeeping costs about 400 bytes a record:
  /// half of the budget goes to payload, half bounds the number of records.
  func readerConfiguration(partitions: Int) -> KafkaConfiguration {
    let share = queueBytes / 2 / Int64(max(1, partitions))
    let kilobytes = min(2_097_151, max(1_024, share / 1_000))
    let messages = min(10_000_000, max(2_000, share / 400))
    return configuration.withDefaults([
      ("queued.max.messages.kbytes", "\(kilobytes)"), ("queued.min.messages", "\(messages)"),
    ])
  }
}

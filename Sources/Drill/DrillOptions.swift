import KafkaClient
import SessionModel
package import Sinks

/// What a drill is to do.
package struct DrillOptions: Sendable {
  /// The program that is drilled: `sojourn` itself.
  package var program: String
  /// Where states, sinks and messages are kept; must be empty or missing.
  package var directory: String
  /// Struck in turn at random.
  package var faults: [Fault]
  package var strikes: Int
  package var events: Int
  package var seed: UInt64
  package var sinks: [DrillSink]
  /// Kafka sinks write in transactions.
  package var isTransactional = false
  package var sinkOptions = SinkOptions()
  /// Geography comes from a service that fails for so many of a hundred requests; nil: no geography.
  package var geographyFailures: Int?
  /// The log grows while it is read.
  package var isLive = false
  /// Nil: the embedded cluster.
  package var cluster: RealCluster?

  /// A cluster that is there already.
  package struct RealCluster: Sendable {
    package var brokers: String
    package var topicPrefix: String
    /// For librdkafka; may hold secrets.
    package var properties: [(name: String, value: String)]

    package init(
      brokers: String, topicPrefix: String, properties: [(name: String, value: String)]
    ) {
      self.brokers = brokers
      self.topicPrefix = topicPrefix
      self.properties = properties
    }

    var configuration: KafkaConfiguration {
      KafkaConfiguration(brokers: brokers, properties: properties)
    }
  }

  /// Whether events are sent while they are read. Always so with outages: a process that lives
  /// through them would have read a whole log before the last of them.
  var grows: Bool { isLive || faults.contains(where: \.isOutage) }

  package init(
    program: String, directory: String, faults: [Fault], strikes: Int, events: Int, seed: UInt64,
    sinks: [DrillSink]
  ) {
    self.program = program
    self.directory = directory
    self.faults = faults
    self.strikes = strikes
    self.events = events
    self.seed = seed
    self.sinks = sinks
  }
}

/// A sink that a drill delivers to.
package enum DrillSink: Equatable, Sendable {
  /// Files in the drill's directory, or topics of the drill's own on its cluster.
  case own(SinkAddress.Scheme)
  /// A server, or a namespace of an Iceberg catalog; the drill makes tables of its own there, and
  /// drops them in the end.
  case server(SinkAddress)
}

/// Bounds of a drill; spans in µs.
enum DrillLimits {
  /// A life that makes no progress for so long has failed.
  static let patience: Microseconds = 120 * .perSecond
  /// How long a process may take to end after SIGTERM.
  static let stopPatience: Microseconds = 60 * .perSecond
  /// Between two looks at something that is waited for.
  static let pollInterval: Microseconds = 2_000
  /// The longest that a process reads between two strikes.
  static let longestReading: Microseconds = 5 * .perSecond
  /// Checkpoints of a drilled life are so far apart, at random.
  static let checkpointIntervals: ClosedRange<Microseconds> = 5_000...50_000
  /// Between two commits to an Iceberg table.
  static let commitInterval: Microseconds = 100_000
  /// Lines of a life's messages that are kept for showing.
  static let keptMessages = 30
  /// Events that the log is ahead of its reader at a start, where it grows.
  static let lead = 1_000
  /// Differing rows that are shown.
  static let shownDifferences = 5
}

import KafkaClient
import Platform
import SessionModel

/// Asks the cluster what blocks while it is asked (ends of logs, added partitions), on a thread of
/// its own.
final class LogWatcher: Sendable {
  /// How long one question may take, µs.
  private static let questionTimeout: Int64 = 5_000_000
  /// How soon a failed look for partitions is repeated, µs.
  private static let retryInterval: Int64 = 1_000_000
  /// Brokers are not woken more often than this, µs.
  private static let nudgeInterval: Int64 = 50_000

  struct Bounds: Sendable {
    var partition: Int32
    /// Nil where the question failed.
    var bounds: (low: Int64, high: Int64)?
  }

  /// What has come up for the reading thread.
  struct Reports: Sendable {
    var ends: [PartitionEnd] = []
    var bounds: [Bounds] = []
    var added: [PartitionStart] = []
    var failure: SourceError?
    /// A broker has answered.
    var isConnected = false
    var notices: [String] = []
  }

  private struct Board: Sendable {
    var endsWanted: [Int32] = []
    var boundsWanted: [Int32] = []
    var nudgeWanted = false
    var refreshWanted = false
    var isStopping = false
    var reports = Reports()
    var hasReports = false
  }

  private struct Task {
    var ends: [Int32]
    var bounds: [Int32]
    var nudge: Bool
    var refresh: Bool
    var isStopping: Bool
  }

  private let board = Monitor(Board())
  private let inquirer: Inquirer
  private let consumer: Consumer
  private let topic: String
  /// Nil where added partitions do not matter (bounded runs).
  private let refreshInterval: Int64?
  private let wake: @Sendable () -> Void

  /// - Parameter wake: called when there are new reports.
  init(
    _ inquirer: Inquirer, _ consumer: Consumer, topic: String, refreshInterval: Int64?,
    wake: @escaping @Sendable () -> Void
  ) {
    self.inquirer = inquirer
    self.consumer = consumer
    self.topic = topic
    self.refreshInterval = refreshInterval
    self.wake = wake
  }

  // MARK: For the reading thread

  func requestEnds(_ partitions: [Int32]) {
    board.change { $0.endsWanted += partitions }
  }

  func requestBounds(_ partition: Int32) {
    board.change { $0.boundsWanted.append(partition) }
  }

  /// Has librdkafka look at its queues again: its broker threads sleep up to one second once the
  /// queues are full, and only a request wakes them.
  func nudge() { board.change { $0.nudgeWanted = true } }

  func refresh() { board.change { $0.refreshWanted = true } }

  func takeReports() -> Reports? {
    board.change { board in
      guard board.hasReports else { return nil }
      defer {
        board.reports = Reports()
        board.hasReports = false
      }
      return board.reports
    }
  }

  func stop() { board.change { $0.isStopping = true } }

  // MARK: The thread

  /// - Parameter leaders: of the partitions known.
  func run(leaders: [Int32]) {
    var leaders = leaders
    var refreshAt = refreshInterval.map { Clock.monotonic + $0 }
    var nudgedAt: Int64 = 0
    var unknownTimes = 0
    while true {
      let task = nextTask(until: refreshAt)
      if task.isStopping { return }
      if task.nudge && Clock.monotonic - nudgedAt >= Self.nudgeInterval {
        nudge(leaders)
        nudgedAt = Clock.monotonic
      }
      if !task.bounds.isEmpty { answerBounds(Array(Set(task.bounds))) }
      if !task.ends.isEmpty { answerEnds(Array(Set(task.ends)).sorted()) }
      guard let refreshInterval, let due = refreshAt else { continue }
      guard task.refresh || due <= Clock.monotonic else { continue }
      let succeeded = look(&leaders, &unknownTimes)
      refreshAt = Clock.monotonic + (succeeded ? refreshInterval : Self.retryInterval)
    }
  }

  private func nextTask(until deadline: Int64?) -> Task {
    let task = board.wait(until: deadline) { board -> Task? in
      let isIdle =
        board.endsWanted.isEmpty && board.boundsWanted.isEmpty && !board.nudgeWanted
        && !board.refreshWanted
        && !board.isStopping
      if isIdle { return nil }
      defer {
        board.endsWanted = []
        board.boundsWanted = []
        board.nudgeWanted = false
        board.refreshWanted = false
      }
      return Task(
        ends: board.endsWanted, bounds: board.boundsWanted, nudge: board.nudgeWanted,
        refresh: board.refreshWanted,
        isStopping: board.isStopping)
    }
    return task ?? Task(ends: [], bounds: [], nudge: false, refresh: false, isStopping: false)
  }

  private func report(_ change: (inout Reports) -> Void) {
    board.change { board in
      change(&board.reports)
      board.hasReports = true
    }
    wake()
  }

  private func answerEnds(_ partitions: [Int32]) {
    let sentAt = Clock.monotonic
    let ends = try? inquirer.offsets(
      .end, topic: topic, partitions: partitions, timeout: Self.questionTimeout)
    report { reports in
      for (index, partition) in partitions.enumerated() {
        reports.ends.append(
          PartitionEnd(partition: partition, sentAt: sentAt, end: ends?[index] ?? nil))
      }
      if ends != nil { reports.isConnected = true }
    }
  }

  private func answerBounds(_ partitions: [Int32]) {
    let lows = try? inquirer.offsets(
      .beginning, topic: topic, partitions: partitions, timeout: Self.questionTimeout)
    let highs = try? inquirer.offsets(
      .end, topic: topic, partitions: partitions, timeout: Self.questionTimeout)
    report { reports in
      for (index, partition) in partitions.enumerated() {
        var bounds: (low: Int64, high: Int64)?
        if let low = lows?[index] ?? nil, let high = highs?[index] ?? nil { bounds = (low, high) }
        reports.bounds.append(Bounds(partition: partition, bounds: bounds))
      }
    }
  }

  /// One small request to each broker that leads a partition.
  private func nudge(_ leaders: [Int32]) {
    var asked = Set<Int32>()
    var partitions: [Int32] = []
    for (partition, leader) in leaders.enumerated() where asked.insert(leader).inserted {
      partitions.append(Int32(partition))
    }
    _ = try? consumer.offsets(
      .beginning, topic: topic, partitions: partitions, timeout: Self.questionTimeout)
  }

  /// Looks for added partitions.
  ///
  /// - Returns: whether a broker answered.
  private func look(_ leaders: inout [Int32], _ unknownTimes: inout Int) -> Bool {
    do throws(KafkaError) {
      let found = try inquirer.describe(topic: topic, timeout: Self.questionTimeout)
      unknownTimes = 0
      let known = leaders.count
      if found.partitionCount < known {
        let message = LossMessage(topic: topic, partition: Int32(found.partitionCount))
        report { $0.failure = .inputLost(message.missingPartition(count: found.partitionCount)) }
        return true
      }
      var added: [PartitionStart] = []
      if found.partitionCount > known {
        let new = (known..<found.partitionCount).map { Int32($0) }
        let lows = try inquirer.offsets(
          .beginning, topic: topic, partitions: new, timeout: Self.questionTimeout)
        for (partition, low) in zip(new, lows) {
          guard let low else { return false }
          added.append(PartitionStart(partition: partition, nextOffset: low))
        }
      }
      leaders = found.leaders
      report { reports in
        reports.added += added
        reports.isConnected = true
      }
      return true
    } catch {
      return noteFailedLook(error, &unknownTimes)
    }
  }

  /// A topic is held for deleted only when it is unknown twice in a row: metadata can lag.
  private func noteFailedLook(_ error: KafkaError, _ unknownTimes: inout Int) -> Bool {
    if error.kind == .authentication {
      report { $0.failure = .authentication(authenticationMessage(error)) }
    } else if error.kind == .unknownTopic {
      unknownTimes += 1
      if unknownTimes >= 2 {
        report {
          $0.failure = .configuration(
            "topic \(topic) does not exist any more. The state is unchanged. "
              + "If the topic is made anew, begin with another --state directory.")
        }
      }
    }
    return false
  }
}

/// - Parameter error: of kind `authentication`.
func authenticationMessage(_ error: KafkaError) -> String {
  "the broker refused the credentials, or rights are missing: \(error). The state is unchanged. "
    + "Check the security settings (-X security.protocol, sasl.*, ssl.*) and the topic's ACLs."
}

import KafkaClient
import Platform
import SessionModel

/// Asks the cluster what blocks while it is asked (ends of logs, added partitions), on a thread of
/// its own.
final class LogWatcher: Sendable {
  /// How long a question may take at least, µs.
  private static let shortestTimeout: Int64 = 5_000_000
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
  private let topicPatience: Int64
  /// Nil where added partitions do not matter (bounded runs).
  private let refreshInterval: Int64?
  private let wake: @Sendable () -> Void

  /// - Parameter wake: called when there are new reports.
  init(
    _ inquirer: Inquirer, _ consumer: Consumer, options: KafkaSourceOptions,
    wake: @escaping @Sendable () -> Void
  ) {
    self.inquirer = inquirer
    self.consumer = consumer
    topic = options.topic
    topicPatience = options.topicPatience
    refreshInterval = options.stopAtEnd ? nil : options.refreshInterval
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

  /// What only the thread touches.
  private struct Memory {
    /// Of the partitions known.
    var leaders: [Int32]
    var patience = AnswerPatience(shortest: shortestTimeout)
    /// Leaders whose last question failed: they are asked last, so that others need not wait.
    var failing: Set<Int32> = []
    /// Since when the topic, or a part of it, has been unknown to every broker that answered.
    var goneSince: Int64?
  }

  /// - Parameter leaders: of the partitions known.
  func run(leaders: [Int32]) {
    var memory = Memory(leaders: leaders)
    var lookAt = refreshInterval.map { Clock.monotonic + $0 }
    var nudgedAt: Int64 = 0
    while true {
      let task = nextTask(until: lookAt)
      if task.isStopping { return }
      if task.nudge && Clock.monotonic - nudgedAt >= Self.nudgeInterval {
        nudge(memory)
        nudgedAt = Clock.monotonic
      }
      if !task.bounds.isEmpty { answerBounds(Set(task.bounds), &memory) }
      if !task.ends.isEmpty { answerEnds(Set(task.ends), &memory) }
      guard task.refresh || lookAt.map({ $0 <= Clock.monotonic }) ?? false else { continue }
      if look(&memory) {
        lookAt = refreshInterval.map { Clock.monotonic + $0 }
      } else {
        lookAt = Clock.monotonic + Self.retryInterval
      }
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

  private func answerEnds(_ partitions: Set<Int32>, _ memory: inout Memory) {
    for group in groups(partitions, memory) {
      let sentAt = Clock.monotonic
      let ends = ask(.end, group, &memory)
      report { reports in
        for partition in group.partitions {
          reports.ends.append(
            PartitionEnd(partition: partition, sentAt: sentAt, end: ends[partition]))
        }
        if !ends.isEmpty { reports.isConnected = true }
      }
    }
  }

  private func answerBounds(_ partitions: Set<Int32>, _ memory: inout Memory) {
    for group in groups(partitions, memory) {
      let lows = ask(.beginning, group, &memory)
      let highs = lows.isEmpty ? [:] : ask(.end, group, &memory)
      report { reports in
        for partition in group.partitions {
          var bounds: (low: Int64, high: Int64)?
          if let low = lows[partition], let high = highs[partition] { bounds = (low, high) }
          reports.bounds.append(Bounds(partition: partition, bounds: bounds))
        }
      }
    }
  }

  /// Partitions that one broker leads.
  private struct Group {
    var leader: Int32
    var partitions: [Int32]
  }

  /// A question to several leaders fails as a whole where one of them is away, so each is asked on
  /// its own.
  private func groups(_ partitions: Set<Int32>, _ memory: Memory) -> [Group] {
    let byLeader = Dictionary(grouping: partitions) { partition in
      memory.leaders.indices.contains(Int(partition)) ? memory.leaders[Int(partition)] : -1
    }
    return byLeader.map { Group(leader: $0.key, partitions: $0.value.sorted()) }
      .sorted {
        let (left, right) = (memory.failing.contains($0.leader), memory.failing.contains($1.leader))
        return left == right ? $0.leader < $1.leader : right
      }
  }

  /// - Returns: by partition; missing where the question failed.
  private func ask(
    _ place: LogPlace, _ group: Group, _ memory: inout Memory
  ) -> [Int32: Int64] {
    let begin = Clock.monotonic
    do throws(KafkaError) {
      let offsets = try inquirer.offsets(
        place, topic: topic, partitions: group.partitions, timeout: memory.patience.timeout)
      memory.patience.answered(after: Clock.monotonic - begin)
      memory.failing.remove(group.leader)
      return zip(group.partitions, offsets).reduce(into: [:]) { $0[$1.0] = $1.1 }
    } catch {
      if error.isAnswer, group.partitions.count > 1 {
        // One partition's error hides the others' answers.
        return group.partitions.reduce(into: [:]) { answers, partition in
          let one = ask(place, Group(leader: group.leader, partitions: [partition]), &memory)
          answers.merge(one) { $1 }
        }
      }
      if error.isTimeout { memory.patience.timedOut() }
      memory.failing.insert(group.leader)
      board.change { $0.refreshWanted = true }
      return [:]
    }
  }

  /// One small request to each broker that leads a partition.
  private func nudge(_ memory: Memory) {
    var asked = Set<Int32>()
    var partitions: [Int32] = []
    for (partition, leader) in memory.leaders.enumerated() where asked.insert(leader).inserted {
      partitions.append(Int32(partition))
    }
    _ = try? consumer.offsets(
      .beginning, topic: topic, partitions: partitions, timeout: Self.shortestTimeout)
  }

  /// Looks for added partitions, and whether the topic is still there.
  ///
  /// - Returns: false if it is to be repeated soon.
  private func look(_ memory: inout Memory) -> Bool {
    let begin = Clock.monotonic
    do throws(KafkaError) {
      let found = try inquirer.describe(topic: topic, timeout: memory.patience.timeout)
      memory.patience.answered(after: Clock.monotonic - begin)
      let known = memory.leaders.count
      if found.partitionCount < known {
        let message = LossMessage(topic: topic, partition: Int32(found.partitionCount))
          .missingPartition(count: found.partitionCount)
        return noteGone(&memory) { .inputLost(message) }
      }
      memory.goneSince = nil
      var added: [PartitionStart] = []
      if found.partitionCount > known, refreshInterval != nil {
        let new = (known..<found.partitionCount).map { Int32($0) }
        let lows = try inquirer.offsets(
          .beginning, topic: topic, partitions: new, timeout: memory.patience.timeout)
        for (partition, low) in zip(new, lows) {
          guard let low else { return false }
          added.append(PartitionStart(partition: partition, nextOffset: low))
        }
      }
      memory.leaders = refreshInterval == nil ? Array(found.leaders.prefix(known)) : found.leaders
      report { reports in
        reports.added += added
        reports.isConnected = true
      }
      return true
    } catch {
      if error.isTimeout { memory.patience.timedOut() }
      return noteFailedLook(error, &memory)
    }
  }

  private func noteFailedLook(_ error: KafkaError, _ memory: inout Memory) -> Bool {
    switch error.kind {
    case .authentication:
      report { $0.failure = .authentication(authenticationMessage(error)) }
    case .unknownTopic:
      return noteGone(&memory) {
        .configuration(
          "topic \(topic) does not exist any more (\(error.name)); it was waited for for "
            + "\(topicPatience / 1_000_000) s. The state is unchanged. "
            + "If the topic is made anew, begin with another --state directory.")
      }
    case .transient, .tls, .configuration, .unreadable: memory.goneSince = nil
    }
    return false
  }

  /// What a broker does not know it may learn soon, if it has just started.
  private func noteGone(
    _ memory: inout Memory, _ failure: () -> SourceError
  ) -> Bool {
    let now = Clock.monotonic
    let since = memory.goneSince ?? now
    if memory.goneSince == nil {
      report {
        $0.notices.append(
          "topic \(topic), or a partition of it, is not known to the broker that was asked; "
            + "waiting up to \(topicPatience / 1_000_000) s for it")
      }
    }
    memory.goneSince = since
    if now - since >= topicPatience {
      let failure = failure()
      report { $0.failure = failure }
    }
    return false
  }
}
